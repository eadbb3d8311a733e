/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of jumps and accesses to where no memory is, and of stacks that have overflowed. */
#include "cpu/crash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../capture.h"
#include "../fake_cpu.h"
#include "../tap.h"
#include "cpu/register_bits.h"

#define CODE  0x9000u
#define STACK 0x5000u

#define RAM_END 0x10000u /* of regions */

static struct fake_cpu fake;

/* The memory of vole's board at its beginning: no page 0, then boot data, then the stack. */
static const struct gmem_region regions[] = {
	{.base = 0x1000, .size = 0x3000, .host = fake.ram + 0x1000},
	{.base = 0x4000, .size = 0xc000, .host = fake.ram + 0x4000, .writable = true},
};

static const struct fake_symbol symbols[] = {{CODE, "work"}, {CODE + 0x100, "main"}, {0, NULL}};

static void begin(uint32_t eip, uint32_t esp)
{
	fake_cpu_init(&fake);
	fake.gmem = (struct gmem){.regions = regions, .count = 2};
	fake.symbols = symbols;
	fake.registers.rip = eip;
	fake.registers.general[CPU_RSP] = esp;
	capture_begin();
}

static void expect(const char *first, const char *name)
{
	const char *text = capture_end();
	size_t len = strlen(first);

	if (!ok(strncmp(text, first, len) == 0 && fake.status == 126, "%s", name))
		printf("# got: %s", text);
}

/* A call whose return address is at the top of the stack. */
static void put_call(const void *bytes, size_t len)
{
	fake_bytes(&fake, CODE + 0x20 - len, bytes, len);
	fake_word(&fake, STACK, CODE + 0x20);
}

static void test_jumps(void)
{
	static const uint8_t indirect[] = {0xff, 0xd0}; /* call *%eax */
	static const uint8_t direct[] = {0xe8, 0xe0, 0x5f, 0xff, 0x7f};

	begin(0, STACK);
	put_call(indirect, sizeof indirect);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 calls through a null pointer; return address 0x00009020 "
	       "(work+0x20)\n",
		"a call through a null pointer");

	begin(0x10, STACK);
	put_call(indirect, sizeof indirect);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 calls 0x00000010, through a null pointer; return",
		"a call near a null pointer");

	begin(0x7ffff000, STACK);
	put_call(direct, sizeof direct);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 calls 0x7ffff000, where no memory is; return address",
		"a direct call, which leads there");

	begin(0x80000000, STACK);
	put_call(direct, sizeof direct);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 jumps to 0x80000000, where no memory is; return address",
		"a direct call led elsewhere: to what has jumped");

	begin(0x80000000, STACK);
	fake_word(&fake, STACK - 4, 0x80000000);
	fake_word(&fake, STACK, 0x9123);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 returns to 0x80000000, where no memory is; at the top "
	       "of "
	       "the stack is 0x00009123 (main+0x23)\n",
		"a return: the address is still below the stack");

	begin(0, STACK);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 jumps or returns through a null pointer\n",
		"a stack of zeros tells nothing");

	begin(0, 0xfffffffe);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 jumps through a null pointer\n", "nor does none at all");

	begin(RAM_END, STACK);
	put_call(direct, sizeof direct);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 jumps or runs on to 0x00010000, where no memory is; "
	       "return",
		"the end of memory, by an engine that does not know branches");

	begin(RAM_END, STACK);
	put_call(indirect, sizeof indirect);
	fake.branches[0] = (struct cpu_branch){.from = CODE, .to = CODE + 4, .vector = -1};
	fake.branch_count = 1;
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 runs on to 0x00010000, where no memory is; return",
		"the end of memory, to which no branch led");

	begin(RAM_END, STACK);
	put_call(direct, sizeof direct);
	fake.branches[0] = (struct cpu_branch){.from = CODE, .to = RAM_END, .vector = -1};
	fake.branch_count = 1;
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 jumps to 0x00010000, where no memory is; return",
		"... or one did");

	/* The software CPU fetches as it loads. */
	begin(0x80000000, STACK);
	crash_mmio(&fake.cpu, 0x80000000, false, (const uint8_t *)"", 1, -ENXIO);
	expect("vole: guest crashed: CPU 0 jumps to 0x80000000, where no memory is\n", "a fetch");
}

static void test_instructions(void)
{
	begin(CODE, STACK);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 cannot execute the instruction at 0x00009000 "
	       "(work+0x0)\n",
		"an instruction that is there");

	begin(CODE, STACK);
	fake.registers.cr0 = X86_CR0_PE;
	fake.registers.idt = (struct cpu_table){.base = 0xd0000000, .limit = 0x7ff};
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 cannot execute the instruction at 0x00009000 "
	       "(work+0x0), or take its exception: the interrupt table that was loaded (LIDT) is "
	       "at 0xd0000000, where no memory is\n",
		"an interrupt table that is not there");

	begin(CODE, 0x4004);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: the boot stack (0x4000 to 0x7fff) has overflowed at "
	       "0x00009000 "
	       "(work+0x0): CPU 0 cannot execute the instruction, or deliver its exception\n",
		"with hardly any stack it may be its exception");
	ok(fake.reports == 1 && fake.reports_ended == 1, "one report");
}

static void store(uint32_t address, unsigned len, int error)
{
	static const uint8_t data[4] = {0x34, 0x12};

	crash_mmio(&fake.cpu, address, true, data, len, error);
}

static void test_accesses(void)
{
	begin(CODE, STACK);
	store(4, 4, -ENXIO);
	expect("vole: guest crashed: CPU 0 stores 0x1234 (4 bytes) to 0x00000004, through a null "
	       "pointer\nvole:   by the instruction at 0x00009000 (work+0x0)\n",
		"a store through a null pointer");

	begin(CODE, STACK);
	crash_mmio(&fake.cpu, 0xfff, false, (const uint8_t *)"", 1, -ENXIO);
	expect("vole: guest crashed: CPU 0 loads 1 byte from 0x00000fff, through a null pointer\n",
		"a load from the end of page 0");

	begin(CODE, STACK);
	fake.registers.cr0 = 0x11;
	fake.registers.idt = (struct cpu_table){.base = 0, .limit = 0x7ff};
	crash_mmio(&fake.cpu, 6 * 8, false, (const uint8_t *)"\0\0\0\0\0\0\0", 8, -ENXIO);
	expect("vole: guest crashed: CPU 0 finds no gate for an exception or interrupt at "
	       "0x00009000 (work+0x0): the interrupt table that was loaded (LIDT) is at "
	       "0x00000000, "
	       "where no memory is\nvole:   CPU 0 loads 8 bytes from 0x00000030, through a null "
	       "pointer\n",
		"an interrupt table at 0");

	begin(CODE, STACK);
	fake.registers.cr0 = 0x11;
	fake.registers.gdt = (struct cpu_table){.base = 0x80000000, .limit = 0x17};
	crash_mmio(&fake.cpu, 0x80000010, false, (const uint8_t *)"\0\0\0\0\0\0\0", 8, -ENXIO);
	expect("vole: guest crashed: CPU 0 finds no descriptor for a selector at 0x00009000 "
	       "(work+0x0): the GDT that was loaded (LGDT) is at 0x80000000, where no memory is\n",
		"a GDT beyond memory");
	begin(CODE, STACK);
	fake.registers.cr0 = 0x11;
	fake.registers.gdt = (struct cpu_table){.base = 0x80000000, .limit = 0x17};
	crash_mmio(&fake.cpu, 0x80000010, false, (const uint8_t *)"\0\0\0", 4, -ENXIO);
	expect("vole: guest crashed: CPU 0 loads 4 bytes from 0x80000010 ",
		"the guest's own load from there");

	begin(CODE, 0);
	fake.registers.cr0 = 0x10;
	fake.cpu.id = 2;
	crash_mmio(&fake.cpu, 6 * 4, false, (const uint8_t *)"\0\0\0", 4, -ENXIO);
	expect("vole: guest crashed: CPU 2 in real mode takes interrupt 0x6, or loads its vector, "
	       "at "
	       "0x00009000 (work+0x0): there are no vectors at 0x00000000\n",
		"an exception in real mode, where page 0 would have its vector");

	begin(8, STACK);
	fake.registers.cs.selector = 8;
	fake_word(&fake, STACK - 4, 8);
	fake_word(&fake, STACK, 0x246);
	crash_instruction(&fake.cpu);
	expect("vole: guest crashed: CPU 0 returns to 0x00000008, through a null pointer; at the "
	       "top of the stack is 0x00000246\nvole:   that is CS,",
		"a handler has returned by RET");

	begin(CODE, STACK);
	store(0x2000, 4, -EROFS);
	expect("vole: guest crashed: CPU 0 stores 0x1234 (4 bytes) to 0x00002000, which is "
	       "read-only\n",
		"a store to boot data that has nothing to do with the stack");
}

#define BOOT_OVERFLOW                                                                          \
	"vole: guest crashed: the boot stack (0x4000 to 0x7fff) has overflowed at 0x00009000 " \
	"(work+0x0)\nvole:   CPU 0 "

static void test_stacks(void)
{
	begin(CODE, 0x4000);
	store(0x3ffc, 4, -EROFS);
	expect(BOOT_OVERFLOW "stores 0x1234 (4 bytes) to 0x00003ffc", "a push from the last word");

	begin(CODE, 0x3800);
	store(0x3900, 1, -EROFS);
	expect(BOOT_OVERFLOW "stores 0x34 (1 byte) to 0x00003900", "in a frame over the end");

	begin(CODE, 0xffffe000);
	store(0xffffe100, 4, -ENXIO);
	expect(BOOT_OVERFLOW "stores", "in a frame that leaves out all that is read-only");

	begin(CODE, 0x800);
	crash_mmio(&fake.cpu, 0x800, false, (const uint8_t *)"\0\0\0", 4, -ENXIO);
	expect(BOOT_OVERFLOW "loads 4 bytes from 0x00000800, through a null pointer",
		"a load from a stack where page 0 would be");

	begin(CODE, 0);
	store(4, 4, -ENXIO);
	expect("vole: guest crashed: CPU 0 stores 0x1234 (4 bytes) to 0x00000004, through a null",
		"a null pointer, where there is no stack");

	begin(CODE, 0);
	store(0xfffffffc, 4, -ENXIO);
	expect("vole: guest crashed: ESP is 0x00000000 at 0x00009000 (work+0x0), where no stack "
	       "can be\n",
		"a stack that nobody has set");

	begin(CODE, 0);
	fake.cpu.id = 1;
	store(0xfffffffc, 4, -ENXIO);
	expect("vole: guest crashed: CPU 1 uses a stack at 0x00009000 (work+0x0), but was started "
	       "without one\n",
		"on another CPU");

	begin(CODE, 0xd00dfeed);
	store(0xd00dfee9, 4, -ENXIO);
	expect("vole: guest crashed: ESP is 0xd00dfeed at", "a stack pointer to nowhere");
}

int main(void)
{
	test_jumps();
	test_instructions();
	test_accesses();
	test_stacks();
	return tap_done();
}
