/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of a crash, of a CPU whose registers and pages this program makes up. What a whole one
 * says is tested with guests. */
#include "cpu/crash.h"

#include <errno.h>
#include <string.h>

#include "../capture.h"
#include "../tap.h"

#define PAGE 4096u
#define RIP  0x400ff8u /* the last 8 bytes of a page */

/* Linear pages 0x400 and 0x401 are 2 and 0 of these, or the second is absent; without paging
 * nothing is where RIP is. */
static struct {
	uint8_t ram[4 * PAGE];
	bool paging, second_absent;
	int registers; /* what asking for them returns */
	int status;
} fake;

static int fake_registers(struct cpu *cpu, struct cpu_registers *registers)
{
	(void)cpu;
	*registers = (struct cpu_registers){.rip = RIP, .cr0 = fake.paging ? 0x80000011 : 0x11};
	return fake.registers;
}

static int fake_translate(struct cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	bool first = linear / PAGE == RIP / PAGE;

	(void)cpu;
	if (fake.paging && !first && fake.second_absent)
		return -EFAULT;
	*gpa = fake.paging ? linear % PAGE + (first ? 2 * PAGE : 0) : linear;
	return 0;
}

static uint64_t fake_position(struct cpu *cpu)
{
	(void)cpu;
	return RIP;
}

static bool on_begin_report(struct cpu *cpu)
{
	(void)cpu;
	return true;
}

static void on_end_report(struct cpu *cpu)
{
	(void)cpu;
}

static const char *on_symbol(struct cpu *cpu, uint64_t address, uint32_t *offset)
{
	(void)cpu;
	(void)address;
	(void)offset;
	return NULL;
}

static void on_end(struct cpu *cpu, int status)
{
	(void)cpu;
	fake.status = status;
}

static struct cpu make_cpu(void)
{
	static const struct cpu_ops ops = {
		.registers = fake_registers,
		.translate = fake_translate,
		.position = fake_position,
	};
	static const struct cpu_host host = {
		.begin_report = on_begin_report,
		.end_report = on_end_report,
		.symbol = on_symbol,
		.end = on_end,
	};
	static const struct gmem_region region = {.size = sizeof fake.ram, .host = fake.ram};
	static const struct gmem gmem = {.regions = &region, .count = 1};

	return (struct cpu){.ops = &ops, .host = &host, .gmem = &gmem, .id = 3};
}

/* Returns what a report says. */
static const char *report(void)
{
	struct cpu cpu = make_cpu();
	const char *code;

	capture_begin();
	crash_instruction(&cpu);
	code = strstr(capture_end(), "code at EIP:");
	return code ? code : "";
}

static void test_code(void)
{
	for (unsigned i = 0; i < 8; i++) {
		fake.ram[3 * PAGE - 8 + i] = (uint8_t)(0xa0 + i);
		fake.ram[i] = (uint8_t)(0xb0 + i);
	}
	fake.ram[3 * PAGE - 10] = 0x9e;
	fake.ram[3 * PAGE - 9] = 0x9f;
	fake.paging = true;
	ok(strcmp(report(), "code at EIP: a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7; "
			    "before it: 00 00 00 00 00 00 9e 9f\n") == 0,
		"code goes on where the next linear page is, after what precedes it");
	is(fake.status, 126, "the machine ends");

	fake.second_absent = true;
	ok(strcmp(report(), "code at EIP: a0 a1 a2 a3 a4 a5 a6 a7; "
			    "before it: 00 00 00 00 00 00 9e 9f\n") == 0,
		"code ends where there is no next linear page");

	fake.paging = false;
	ok(strncmp(report(), "code at EIP: none", 17) == 0, "there is no code where no memory is");
}

/* Returns what a report of a triple fault says, with these exceptions. */
static const char *triple_fault(const struct cpu_fault *faults, unsigned count)
{
	struct cpu cpu = make_cpu();

	capture_begin();
	crash_triple_fault(&cpu, faults, count);
	return capture_end();
}

static void test_triple_fault(void)
{
	static const struct cpu_fault faults[] = {
		{.vector = 14, .has_error = true, .error = 2, .rip = RIP, .cr2 = 0xdead0000},
		{.vector = 13, .has_error = true, .error = 0x72, .rip = RIP},
		{.vector = 8, .has_error = true, .rip = RIP},
	};
	static const struct cpu_fault interrupt[] = {
		{.vector = 11, .has_error = true, .error = 0x223, .rip = RIP},
		{.vector = 13, .has_error = true, .error = 0x6a, .rip = RIP},
	};
	static const struct cpu_fault step[] = {
		{.vector = 13, .has_error = true, .error = 0xb, .rip = RIP},
	};
	const char *text = triple_fault(faults, 3);

	ok(strstr(text, "crashed: page fault (14) on CPU 3 at 0x00400ff8: write to 0xdead0000, not "
			"mapped; it could not be delivered: no interrupt table is loaded"),
		"a triple fault names the exception that began it, and why it was not delivered");
	ok(strstr(text, "  triple fault: its delivery raised general protection (13), error code "
			"0x72: gate 14, then double fault (8), error code 0x0\n"),
		"and the exceptions that followed, in their order");

	text = triple_fault(interrupt, 2);
	ok(strstr(text, "crashed: interrupt 0x44 on CPU 3 at 0x00400ff8 could not be delivered: no "
			"interrupt table is loaded (LIDT)\n") &&
			strstr(text, "its delivery raised segment not present (11), error code "
				     "0x223: gate 0x44, then general protection (13), error code "
				     "0x6a: gate 13\n"),
		"an interrupt from outside is called one, by its vector");

	text = triple_fault(step, 1);
	ok(strstr(text, "crashed: general protection (13), error code 0xb: gate 1 on CPU 3") &&
			!strstr(text, "it came from"),
		"a debug trap is none, though its error code has the same bits");

	text = triple_fault(NULL, 0);
	ok(strstr(text, "triple fault on CPU 3 at 0x00400ff8\n"
			"vole:   a double fault (8) could not be delivered: no interrupt table"),
		"if the exceptions are not known there is the double fault, at least");

	fake.registers = -ENODATA;
	text = triple_fault(NULL, 0);
	ok(strstr(text, "triple fault on CPU 3\n") && strstr(text, "registers: lost"),
		"without registers it says that they are lost, and no place");
	fake.registers = 0;
}

static void test_lacking(void)
{
	static const struct cpu_lack fpu = {"an x87 FPU", "compile it without, or --engine kvm"};
	static const struct cpu_lack mode = {"virtual-8086 mode", "run it with --engine kvm"};
	struct cpu cpu = make_cpu();
	const char *text;

	fake.status = 0;
	capture_begin();
	warn_lacking(&cpu, &fpu, 0x1234);
	text = capture_end();
	ok(strstr(text,
		   "CPU 3 uses an x87 FPU, which the software CPU does not have, at 0x00001234") &&
			strstr(text, "--engine kvm") && capture_lines(text) == 1,
		"what the software CPU lacks is named, with the place and the way on");
	is(fake.status, 0, "and the machine goes on");

	capture_begin();
	crash_lacking(&cpu, &mode);
	text = capture_end();
	ok(strstr(text, "guest crashed: CPU 3 needs virtual-8086 mode") &&
			strstr(text, "--engine kvm") && strstr(text, "EAX "),
		"what a guest cannot go on without, too, with the registers");
	is(fake.status, 126, "and the machine ends");
}

int main(void)
{
	test_code();
	test_lacking();
	test_triple_fault();
	return tap_done();
}
