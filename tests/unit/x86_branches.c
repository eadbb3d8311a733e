/* SPDX-License-Identifier: BSD-2-Clause */
/* The last branches that a CPU has taken: exact, whatever the run loop was left for in between. */
#include "x86/branches.h"

#include <stdio.h>

#include "../tap.h"
#include "../x86_code.h"

#define MAX 8

/*
 *	10000  call 10020
 *	10005  mov $3, %ecx
 *	1000a  dec %ecx
 *	1000b  jnz 1000a
 *	1000d  cmp $0, %ecx
 *	10010  je 10018		one slot with the comparison
 *	10018  mov $10030, %eax
 *	1001d  jmp *%eax
 *	10020  ret
 *	10030  ud2
 */
static const char program[] = "e8 1b 00 00 00  b9 03 00 00 00  49  75 fd  83 f9 00  74 06"
			      "90 90 90 90 90 90  b8 30 00 01 00  ff e0 90  c3";

static const struct cpu_branch expected[] = {
	{0x10000, 0x10020, -1, false},
	{0x10020, 0x10005, -1, false},
	{0x1000b, 0x1000a, -1, true},
	{0x10010, 0x10018, -1, false},
	{0x1001d, 0x10030, -1, false},
	{0x10030, HANDLERS + 16 * X86_UD, X86_UD, false},
};
#define EXPECTED (sizeof expected / sizeof *expected)

static bool is_same(const struct cpu_branch *a, const struct cpu_branch *b)
{
	return a->from == b->from && a->to == b->to && a->vector == b->vector &&
	       a->is_repeated == b->is_repeated;
}

static void check(const struct x86_code *code, unsigned count, const char *name)
{
	struct cpu_branch got[MAX];
	unsigned n = x86_branches(&code->cpu, got, MAX);
	bool right = n == count;

	for (unsigned i = 0; right && i < n; i++)
		right = is_same(&got[i], &expected[i]);
	ok(right, "%s", name);
	for (unsigned i = 0; !right && i < n; i++)
		printf("# %x -> %x, %d, %d\n", (unsigned)got[i].from, (unsigned)got[i].to,
			got[i].vector, got[i].is_repeated);
}

static void put_program(struct x86_code *code)
{
	x86_code_start(code);
	x86_code_put(code, CODE, program);
	x86_code_put(code, CODE + 0x30, "0f 0b");
}

static void test_budgets(void)
{
	struct x86_code code;
	char name[80];

	put_program(&code);
	is(x86_run(&code.cpu, 1000), X86_STOP_HALTED, "the program ends in the handler of #UD");
	check(&code, EXPECTED, "its branches, and the exception");
	x86_code_end(&code);

	for (int64_t budget = 1; budget < 8; budget++) {
		snprintf(name, sizeof name, "the same with turns of %d instructions", (int)budget);
		put_program(&code);
		for (unsigned i = 0; i < 100; i++)
			x86_run(&code.cpu, budget);
		check(&code, EXPECTED, name);
		x86_code_end(&code);
	}
}

/* It is asked in the middle of a block, by a device. */
static struct cpu_branch seen[MAX];
static unsigned seen_count;

static bool ask(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value)
{
	(void)where;
	(void)is_write;
	(void)value;
	seen_count = x86_branches(&code->cpu, seen, MAX);
	return true;
}

static void test_in_a_block(void)
{
	struct x86_code code;

	x86_code_start(&code);
	code.access = ask;
	x86_code_put(&code, CODE, "eb 0e");
	x86_code_put(&code, CODE + 0x10, "90 e6 80 90 f4");
	x86_run(&code.cpu, 100);
	ok(seen_count == 1 && seen[0].from == CODE && seen[0].to == CODE + 0x10,
		"in the middle of a block the branch to its beginning is the last one");
	x86_code_end(&code);
}

static void test_nowhere(void)
{
	struct cpu_branch got[MAX];
	struct x86_code code;
	unsigned n;

	x86_code_start(&code);
	x86_code_page(&code);
	x86_code_put(&code, CODE, "b8 00 00 04 00  ff e0");
	x86_run(&code.cpu, 100);
	n = x86_branches(&code.cpu, got, MAX);
	ok(n == 2 && got[0].from == CODE + 5 && got[0].to == 0x40000 && got[0].vector < 0,
		"a jump to where no code is");
	ok(n == 2 && got[1].from == 0x40000 && got[1].vector == X86_PF_FAULT,
		"and the page fault there");
	x86_code_end(&code);
}

static void test_flush(void)
{
	struct cpu_branch got[MAX];
	struct x86_code code;

	put_program(&code);
	x86_run(&code.cpu, 5);
	x86_cache_flush(&code.cpu);
	is(x86_branches(&code.cpu, got, MAX), 0, "after a flush nothing is known");
	x86_run(&code.cpu, 1000);
	ok(x86_branches(&code.cpu, got, MAX) > 0, "and then there are new ones");
	x86_code_end(&code);
}

/* From a code segment with base 0 to one with base 0x20000, and back by the gate of #UD. */
static void test_other_segment(void)
{
	static const struct cpu_branch far[] = {
		{0x10000, 0x10020, -1, false},
		{0x10020, 0x20100, -1, false},
		{0x20100, 0x20108, -1, false},
		{0x20108, HANDLERS + 16 * X86_UD, X86_UD, false},
	};
	struct cpu_branch got[MAX];
	struct x86_code code;
	unsigned n;

	x86_code_start(&code);
	x86_code_put(&code, GDT + 24, "ff ff 00 00 02 9b cf 00");
	code.cpu.gdtr.limit = 31;
	x86_code_put(&code, CODE, "eb 1e");
	x86_code_put(&code, CODE + 0x20, "ea 00 01 00 00 18 00");
	x86_code_put(&code, 0x20100, "eb 06 90 90 90 90 90 90 0f 0b");
	x86_run(&code.cpu, 100);
	n = x86_branches(&code.cpu, got, MAX);
	is(n, 4, "as many branches when the base of the code segment changes");
	for (unsigned i = 0; i < n && i < 4; i++)
		ok(is_same(&got[i], &far[i]), "branch %u is that of its segment: %x -> %x", i,
			(unsigned)got[i].from, (unsigned)got[i].to);
	x86_code_end(&code);
}

int main(void)
{
	test_other_segment();
	test_budgets();
	test_in_a_block();
	test_nowhere();
	test_flush();
	return tap_done();
}
