/* SPDX-License-Identifier: BSD-2-Clause */
/* Why an exception cannot be delivered, by tables that this program makes up: one thing is wrong at
 * a time. */
#include "cpu/delivery.h"

#include <stdio.h>
#include <string.h>

#include "../fake_cpu.h"
#include "../tap.h"
#include "cpu/register_bits.h"

#define IDT   0x1000u
#define GDT   0x2000u
#define LDT   0x3000u
#define TSS   0x4000u
#define STACK 0x8000u
#define CODE  0x5000u

/* Selectors of the GDT. */
#define CODE_0   0x08u
#define DATA_0   0x10u
#define CODE_3   0x18u
#define ABSENT_0 0x20u
#define CODE_64  0x28u
#define READ_0   0x30u
#define GDT_SIZE 0x38u

#define VECTOR 6

static struct fake_cpu fake;

static void put_gate(unsigned vector, uint16_t selector, uint16_t attributes, uint32_t offset)
{
	fake_word(&fake, IDT + 8 * vector, (uint32_t)selector << 16 | (offset & 0xffff));
	fake_word(&fake, IDT + 8 * vector + 4, (offset & 0xffff0000) | attributes);
}

/* A descriptor with base 0 and limit 4 GiB - 1 (Intel SDM 3, 3.4.5). */
static void put_descriptor(uint32_t address, uint16_t attributes)
{
	fake_word(&fake, address, 0x0000ffff);
	fake_word(&fake, address + 4, 0x000f0000 | (uint32_t)attributes << 8);
}

/* A CPU of ring 0 that can deliver. */
static void reset(void)
{
	struct cpu_registers *r = &fake.registers;

	fake_cpu_init(&fake);
	put_descriptor(GDT + CODE_0, 0xc09a);
	put_descriptor(GDT + DATA_0, 0xc092);
	put_descriptor(GDT + CODE_3, 0xc0fa);
	put_descriptor(GDT + ABSENT_0, 0xc01a);
	put_descriptor(GDT + CODE_64, 0xa09a);
	put_descriptor(GDT + READ_0, 0xc090);
	put_gate(VECTOR, CODE_0, 0x8e00, CODE);
	r->idt = (struct cpu_table){IDT, 32 * 8 - 1};
	r->gdt = (struct cpu_table){GDT, GDT_SIZE - 1};
	r->cs.selector = CODE_0;
	r->general[CPU_RSP] = STACK;
}

/* expected: NULL if nothing is wrong. */
static void check(const char *expected, const char *name)
{
	char text[300] = "";
	bool found = delivery_explain(&fake.cpu, &fake.registers, VECTOR, true, text,
			     sizeof text) != DELIVERY_POSSIBLE;
	bool right = found == (expected != NULL) && strcmp(text, expected ? expected : "") == 0;

	ok(right, "%s: %s", name, expected ? expected : "nothing is wrong");
	if (!right)
		printf("# got: %s\n", text);
}

static void test_gate(void)
{
	reset();
	check(NULL, "all in order");
	put_gate(VECTOR, CODE_0, 0x8700, CODE);
	check(NULL, "a trap gate of 16 bits");
	put_gate(VECTOR, 0x18, 0x8500, 0);
	check(NULL, "a task gate is not looked at");

	fake.registers.idt.limit = 0;
	check("no interrupt table is loaded (LIDT)", "no table");
	fake.registers.idt.limit = VECTOR * 8 + 6;
	check("gate 6 is beyond the IDT (limit 0x36)", "short table");
	fake.registers.idt = (struct cpu_table){FAKE_RAM_SIZE - 8 * VECTOR, 0xff};
	check("gate 6 at 0x00020000 is not in memory: the interrupt table that was loaded (LIDT) "
	      "is at 0x0001ffd0",
		"table outside of memory");

	reset();
	put_gate(VECTOR, 0, 0, 0);
	check("gate 6 is empty", "empty gate");
	put_gate(VECTOR, CODE_0, 0x0e00, CODE);
	check("gate 6 is not present", "P clear");
	put_gate(VECTOR, CODE_0, 0x8c00, CODE);
	check("gate 6 has type 0xc, which is no interrupt gate's", "call gate");
	put_gate(VECTOR, CODE_0, 0x9e00, CODE);
	check("gate 6 has type 0x1e, which is no interrupt gate's", "S set");

	reset();
	fake.registers.cr0 = 0x10;
	fake.registers.idt.limit = 0;
	check(NULL, "real mode is not looked at");
}

static void test_handler(void)
{
	reset();
	put_gate(VECTOR, 0, 0x8e00, CODE);
	check("gate 6 names the null selector", "null");
	put_gate(VECTOR, 0x38, 0x8e00, CODE);
	check("gate 6 names selector 0x38, beyond the GDT (limit 0x37)", "beyond the GDT");
	put_gate(VECTOR, DATA_0, 0x8e00, CODE);
	check("gate 6 names selector 0x10, which is not a code segment", "data");
	put_gate(VECTOR, CODE_3 | 3, 0x8e00, CODE);
	check("gate 6 names selector 0x1b, a code segment of ring 3 for a CPU in ring 0", "outer");
	put_gate(VECTOR, ABSENT_0, 0x8e00, CODE);
	check("gate 6 names selector 0x20, which is not present", "absent code");
	put_gate(VECTOR, 0xc, 0x8e00, CODE);
	check("gate 6 names selector 0xc in the LDT, and none is loaded", "no LDT");

	fake.registers.ldt = (struct cpu_segment){.selector = 8, .base = LDT, .limit = 0xf};
	put_descriptor(LDT + 8, 0xc09a);
	check(NULL, "in the LDT");
	fake.registers.ldt.limit = 0xe;
	check("gate 6 names selector 0xc, beyond the LDT (limit 0xe)", "short LDT");

	reset();
	fake.registers.gdt.base = FAKE_RAM_SIZE;
	check("gate 6 names selector 0x8, whose descriptor at 0x00020008 is not in memory",
		"GDT outside of memory");
	reset();
	fake_word(&fake, GDT + CODE_0 + 4, 0x00409a00);
	put_gate(VECTOR, CODE_0, 0x8e00, 0x10000);
	check("gate 6 leads to 0x00010000, beyond its code segment", "limit of the code");
}

static void test_stack(void)
{
	reset();
	fake.region.writable = false;
	check("the frame does not fit on the stack: push to 0x00007fff, which is read-only",
		"read-only stack");
	fake.region.writable = true;
	fake.registers.general[CPU_RSP] = FAKE_RAM_SIZE + 0x1000;
	check("the frame does not fit on the stack: push to 0x00020fff, where no memory is",
		"no stack");
	fake.registers.general[CPU_RSP] = 8;
	check("the frame does not fit on the stack: push to 0xfffffff8, where no memory is",
		"a stack that ends in the frame");

	fake.registers.cr0 = 0x80010001;
	fake.registers.cr3 = 0x10000;
	fake_word(&fake, 0x10000, 0x11003);
	fake_word(&fake, 0x11000 + 4 * 8, 0x8001);
	fake_word(&fake, 0x11000 + 4 * 7, 0x7003);
	fake.registers.general[CPU_RSP] = 0x8008;
	check("the frame does not fit on the stack: push to 0x00008007, page table entry 0x8 is "
	      "read-only, and CR0.WP is set",
		"a read-only page");
	fake.registers.general[CPU_RSP] = 0x7008;
	check("the frame does not fit on the stack: push to 0x00006ff8, not mapped: page table "
	      "entry "
	      "0x6 is not present",
		"a guard page");
}

static void test_inner_stack(void)
{
	reset();
	fake.registers.cs.selector = CODE_3 | 3;
	check("the stack of ring 0 is unknown: no TSS is loaded (LTR)", "no TSS");
	fake.registers.tr = (struct cpu_segment){.selector = 8, .base = TSS, .limit = 6};
	check("the stack of ring 0 is unknown: it is beyond the TSS (limit 0x6)", "short TSS");
	fake.registers.tr.limit = 103;
	fake_word(&fake, TSS + 4, STACK);
	check("the TSS names the null selector", "no SS0");
	fake_word(&fake, TSS + 8, READ_0);
	check("the TSS names selector 0x30, which is no stack segment of ring 0", "read-only SS0");
	fake_word(&fake, TSS + 8, DATA_0);
	check(NULL, "an inner stack");
	fake_word(&fake, TSS + 4, 0);
	check("the frame does not fit on the stack: push to 0xffffffff, where no memory is",
		"no ESP0");
	fake.registers.tr.base = FAKE_RAM_SIZE;
	check("the stack of ring 0 is unknown: the TSS at 0x00020000 is not in memory",
		"TSS outside of memory");
}

static void test_long(void)
{
	reset();
	fake.registers.efer = X86_EFER_LMA;
	fake_word(&fake, IDT + 16 * VECTOR, CODE_64 << 16 | CODE);
	fake_word(&fake, IDT + 16 * VECTOR + 4, 0x8e00);
	check(NULL, "a gate of 64 bits");
	fake_word(&fake, IDT + 16 * VECTOR, CODE_0 << 16 | CODE);
	check("gate 6 names selector 0x8, which is not a 64-bit code segment", "32-bit code");
	fake_word(&fake, IDT + 16 * VECTOR, CODE_64 << 16 | CODE);
	fake_word(&fake, IDT + 16 * VECTOR + 4, 0x8500);
	check("gate 6 has type 0x5, which is no interrupt gate's", "a task gate");
	fake_word(&fake, IDT + 16 * VECTOR + 4, 0x8e02);
	check("interrupt stack 2 is unknown: no TSS is loaded (LTR)", "no TSS");
	fake.registers.tr = (struct cpu_segment){.selector = 8, .base = TSS, .limit = 103};
	fake_word64(&fake, TSS + 0x2c, UINT64_C(0xffff800000000000));
	check("the frame does not fit on the stack: push to 0xffff7fffffffffff, where no memory is",
		"no stack there");
	fake_word64(&fake, TSS + 0x2c, STACK);
	check(NULL, "an interrupt stack");
	fake.registers.idt.limit = 16 * VECTOR + 14;
	check("gate 6 is beyond the IDT (limit 0x6e)", "short table");
}

int main(void)
{
	test_gate();
	test_handler();
	test_stack();
	test_inner_stack();
	test_long();
	return tap_done();
}
