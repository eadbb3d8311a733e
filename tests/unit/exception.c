/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/machine/exception.c: what a stub of the IDT at entry and the stack tell of an exception. */
#include "machine/exception.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../capture.h"
#include "../fake_cpu.h"
#include "../tap.h"

#define STUBS 0x1800u
#define IDT   0x1000u
#define STACK 0x5000u
#define CODE  0x9000u
#define FLAGS 0x10246u

static struct fake_cpu fake;
static struct vm vm;
static struct boot boot;
static const struct boot_protocol protocol = {.board.irqchip = ENGINE_IRQCHIP_APIC};

static void routes_changed(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	(void)ctx;
	(void)routes;
}

static void write_ioapic(unsigned index, uint32_t value)
{
	ioapic_write(&vm.ioapic, 0x00, (const uint8_t *)&index, 4);
	ioapic_write(&vm.ioapic, 0x10, (const uint8_t *)&value, 4);
}

/* The CPU is at a stub, or offset bytes behind its start, with these words on its stack. */
static void begin(unsigned vector, unsigned offset, const uint32_t *words, unsigned count)
{
	fake_cpu_init(&fake);
	fake.cpu.ctx = &vm;
	fake.registers.rip = STUBS + 4 * vector + offset;
	fake.registers.general[CPU_RSP] = STACK;
	fake.registers.cr2 = 0xdead0000;
	fake.registers.idt = (struct cpu_table){IDT, 0x7ff};
	for (unsigned i = 0; i < count; i++)
		fake_word(&fake, STACK + 4 * i, words[i]);
}

#define BEGIN(vector, offset, ...)                             \
	begin(vector, offset, (const uint32_t[]){__VA_ARGS__}, \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void expect(const char *first, const char *more, const char *name)
{
	uint8_t byte = 0;
	const char *text;
	int ret;

	capture_begin();
	ret = exception_port(&fake.cpu, 0xfc, true, &byte, 1);
	text = capture_end();
	if (!ok(ret == 0 && strncmp(text, first, strlen(first)) == 0 && strstr(text, more), "%s",
		    name))
		printf("# got: %d, %s", ret, text);
}

static void test_frames(void)
{
	BEGIN(0, 0, CODE, 8, FLAGS);
	expect("vole: guest crashed: divide error (0) on CPU 0 at 0x00009000\n", "ESP 0000500c",
		"a frame without an error code; KVM is at the OUT");
	BEGIN(0, 2, CODE, 8, FLAGS);
	expect("vole: guest crashed: divide error (0) on CPU 0 at 0x00009000\n",
		"EIP 0x00009000  EFLAGS 00010246", "... or behind it");
	BEGIN(13, 2, 0x28, CODE, 8, FLAGS);
	expect("vole: guest crashed: general protection (13), error code 0x28: selector 0x28 on "
	       "CPU 0 at 0x00009000\n",
		"ESP 00005010", "a frame with an error code");
	BEGIN(14, 2, 2, CODE, 8, FLAGS);
	expect("vole: guest crashed: page fault (14) on CPU 0 at 0x00009000: write to 0xdead0000",
		"CR2 dead0000", "a page fault has the address");
	BEGIN(14, 2, 4, 0, 0x1b, FLAGS, 0x7000, 0x23);
	expect("vole: guest crashed: page fault (14) on CPU 0 at 0x00000000", "ESP 00007000",
		"a page fault of user mode that has jumped to 0");
	BEGIN(0, 2, CODE, 0x1b, FLAGS, 0x7000, 0x23);
	expect("vole: guest crashed: divide error", "ESP 00007000",
		"from an outer ring the stack is that of the frame");
	BEGIN(255, 0, CODE, 8, FLAGS);
	expect("vole: guest crashed: interrupt 0xff without a handler on CPU 0 at 0x00009000\n",
		"it came from a local APIC: no pin of the IOAPIC has this vector", "vector 255");
	BEGIN(6, 2, CODE, 8, FLAGS);
	fake.registers.general[CPU_RSP] = 0xd0000ff4;
	expect("vole: guest crashed: vector 0x6 on CPU 0 at an unknown place: its frame is lost, "
	       "since "
	       "no memory is at ESP, 0xd0000ff4\n",
		"ESP d0000ff4", "a frame that is not in memory");
	BEGIN(0, 0, CODE, 8, FLAGS);
	fake.registers.idt.base = 0x100000;
	capture_begin();
	exception_port(&fake.cpu, 0xfc, true, (uint8_t[]){0}, 1);
	ok(!strstr(capture_end(), "LIDT"), "a gate that was copied into a table of the kernel's");
}

static void test_instructions(void)
{
	BEGIN(0x80, 2, CODE, 8, FLAGS);
	fake_bytes(&fake, CODE - 2, "\xcd\x80", 2);
	expect("vole: guest crashed: INT 0x80 without a handler on CPU 0 at 0x00008ffe\n",
		"code at EIP: cd 80", "INT n is told by the instruction before");
	BEGIN(13, 2, CODE, 8, FLAGS);
	fake_bytes(&fake, CODE - 2, "\xcd\x0d", 2);
	expect("vole: guest crashed: general protection (13) on CPU 0 at 0x00008ffe\n",
		"ESP 0000500c", "INT n pushes no error code");
	BEGIN(13, 2, 0, CODE, 8, FLAGS);
	fake.registers.general[CPU_RAX] = 0x80000011;
	fake_bytes(&fake, CODE, "\x0f\x22\xc0", 3);
	expect("vole: guest crashed: general protection (13), error code 0x0 on CPU 0 at "
	       "0x00009000\nvole:   this host's KVM has no 32-bit paging (vole doctor)",
		"", "a KVM that refuses to turn paging on");
	BEGIN(13, 2, 0, CODE, 8, FLAGS);
	fake.registers.general[CPU_RAX] = 0x80000010;
	fake_bytes(&fake, CODE, "\x0f\x22\xc0", 3);
	expect("vole: guest crashed: general protection (13), error code 0x0 on CPU 0 at "
	       "0x00009000\nvole:   the kernel has",
		"", "paging without protected mode, which any processor refuses");
	BEGIN(13, 2, 0, CODE, 8, FLAGS);
	fake.registers.general[CPU_RCX] = 0x1234;
	fake_bytes(&fake, CODE, "\x0f\x32", 2);
	expect("vole: guest crashed: general protection (13), error code 0x0 on CPU 0 at "
	       "0x00009000: read of MSR 0x1234: this CPU has none that can be read there\n",
		"", "RDMSR");
	BEGIN(13, 2, 0, CODE, 8, FLAGS);
	fake.registers.general[CPU_RCX] = 0x1234;
	fake.registers.general[CPU_RAX] = 0x10;
	fake.registers.general[CPU_RDX] = 0xffffffff00000002;
	fake_bytes(&fake, CODE, "\x0f\x30", 2);
	expect("vole: guest crashed: general protection (13), error code 0x0 on CPU 0 at "
	       "0x00009000: write of 0x200000010 to MSR 0x1234: this CPU has none that takes it\n",
		"", "WRMSR");
	BEGIN(13, 2, 0, CODE, 0x1b, FLAGS, 0x7000, 0x23);
	fake_bytes(&fake, CODE, "\x0f\x32", 2);
	expect("vole: guest crashed: general protection (13), error code 0x0 on CPU 0 at "
	       "0x00009000\n",
		"", "RDMSR in user mode, which no MSR permits");
	BEGIN(3, 2, CODE, 8, FLAGS);
	fake_bytes(&fake, CODE - 1, "\xcc", 1);
	expect("vole: guest crashed: breakpoint (3) on CPU 0 at 0x00008fff\n", "code at EIP: cc",
		"INT3");
	BEGIN(0x81, 2, CODE, 8, FLAGS);
	fake_bytes(&fake, CODE - 2, "\xcd\x80", 2);
	expect("vole: guest crashed: interrupt 0x81 without a handler on CPU 0 at 0x00009000\n", "",
		"an interrupt after INT with another vector");
}

static void test_sources(void)
{
	write_ioapic(0x10 + 2 * 17, 0x40);
	BEGIN(0x40, 2, CODE, 8, FLAGS);
	expect("vole: guest crashed: interrupt 0x40 without a handler",
		"it came from pin 17 (serial port)\n", "a pin and its device");
	write_ioapic(0x10 + 2 * 20, 0x41);
	BEGIN(0x41, 2, CODE, 8, FLAGS);
	expect("vole: guest crashed: interrupt 0x41 without a handler", "it came from pin 20\n",
		"a pin without one");
	write_ioapic(0x10 + 2 * 20, 0x40);
	BEGIN(0x40, 2, CODE, 8, FLAGS);
	expect("vole: guest crashed: interrupt 0x40 without a handler",
		"it came from pin 17 (serial port) or pin 20\n", "two pins with one vector");
	write_ioapic(0x10 + 2 * 20, 0x10041);
	BEGIN(0x41, 2, CODE, 8, FLAGS);
	expect("vole: guest crashed: interrupt 0x41 without a handler", "from a local APIC",
		"a pin that is masked is not it");
	write_ioapic(0x10 + 2 * 20, 0x441);
	BEGIN(0x41, 2, CODE, 8, FLAGS);
	expect("vole: guest crashed: interrupt 0x41 without a handler", "from a local APIC",
		"nor one that sends an NMI");
}

static int access_port(bool is_write, unsigned len)
{
	uint8_t data[4] = {0};

	return exception_port(&fake.cpu, 0xfc, is_write, data, len);
}

static void test_strangers(void)
{
	BEGIN(0, 3, CODE, 8, FLAGS);
	is(-access_port(true, 1), ENXIO, "code between the stubs' instructions is none");
	BEGIN(256, 0, CODE, 8, FLAGS);
	is(-access_port(true, 1), ENXIO, "nor is what lies behind the last stub");
	begin(0, 0, NULL, 0);
	fake.registers.rip = STUBS - 1;
	is(-access_port(true, 1), ENXIO, "nor before the first one");
	BEGIN(0, 0, CODE, 8, FLAGS);
	is(-access_port(false, 1), ENXIO, "the port cannot be read");
	is(-access_port(true, 4), ENXIO, "and has 8 bits");
	is(fake.reports, 0, "nothing was reported");
}

int main(void)
{
	boot.protocol = &protocol;
	vm.boot = &boot;
	boot.exception_stubs = STUBS;
	boot.state.idt_base = IDT;
	vm.serial.present = true;
	vm.serial.gsi = 17;
	ioapic_init(&vm.ioapic, routes_changed, NULL);
	test_frames();
	test_instructions();
	test_sources();
	test_strangers();
	ioapic_free(&vm.ioapic);
	return tap_done();
}
