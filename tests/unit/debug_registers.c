/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/kvm/debug_registers.c. Expected values are those of Intel SDM 3, figure 18-1 and table
 * 18-1. */
#include "kvm/debug_registers.h"

#include <errno.h>
#include <string.h>

#include "../tap.h"

#define CODE 0x100040
#define DATA 0x204000

static struct debug_point point(enum debug_point_kind kind, uint64_t linear, uint32_t len)
{
	return (struct debug_point){.kind = kind, .linear = linear, .gpa = linear, .len = len};
}

static int set(struct debug_registers *registers, enum debug_point_kind kind, uint64_t linear,
	uint32_t len)
{
	const struct debug_point added = point(kind, linear, len);

	return debug_registers_set(registers, &added, true);
}

/* --- points to registers ---------------------------------------------------------------------- */

static void test_needed(void)
{
	static const struct {
		uint64_t linear;
		uint32_t len;
		unsigned needed;
	} cases[] = {
		{DATA, 1, 1},
		{DATA, 2, 1},
		{DATA, 3, 2},
		{DATA, 4, 1},
		{DATA + 1, 2, 2},
		{DATA + 2, 2, 1},
		{DATA + 1, 4, 3}, /* 1, 2, 1 */
		{DATA + 2, 4, 2}, /* 2, 2 */
		{DATA + 3, 4, 3}, /* 1, 2, 1 */
		{DATA, 8, 2},
		{DATA, 16, 4},
		{DATA + 1, 7, 3},
		{DATA, 17, 5},
		{DATA + 1, 16, 5},
		{DATA, 4096, 5},
		{DATA, UINT32_MAX, 5},
		{UINT64_MAX - 3, 4, 1},
		{UINT64_MAX, 1, 1},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct debug_point watch = point(DEBUG_WATCH_WRITE, cases[i].linear, cases[i].len);

		is(debug_registers_needed(&watch), cases[i].needed,
			"%u bytes at 0x%llx take %u registers", cases[i].len,
			(unsigned long long)cases[i].linear, cases[i].needed);
	}
}

static void test_load(void)
{
	struct debug_registers registers = {0};
	struct kvm_guest_debug debug = {.control = 77};

	debug.arch.debugreg[2] = 1;
	ok(!debug_registers_load(&registers, &debug) && debug.arch.debugreg[7] == 0x600 &&
			debug.arch.debugreg[2] == 0 && debug.control == 77,
		"18.2.4 no point: DR7 has its fixed bits, and control is the caller's");

	set(&registers, DEBUG_HARDWARE_BREAKPOINT, CODE, 1);
	ok(debug_registers_load(&registers, &debug), "a register is used");
	is(debug.arch.debugreg[0], CODE, "DR0 has the breakpoint's address");
	is(debug.arch.debugreg[7], 0x602, "18.2.4 G0 is set, RW0 and LEN0 are 0: execution");

	set(&registers, DEBUG_WATCH_WRITE, DATA + 2, 4);
	debug_registers_load(&registers, &debug);
	is(debug.arch.debugreg[1], DATA + 2, "DR1 has the first half of what is not aligned");
	is(debug.arch.debugreg[2], DATA + 4, "DR2 has the second");
	is(debug.arch.debugreg[7], 0x0550062a,
		"18.2.4 RW1, RW2 are 1: writes; LEN1, LEN2 are 1: 2 bytes");

	set(&registers, DEBUG_WATCH_ACCESS, DATA + 8, 4);
	debug_registers_load(&registers, &debug);
	is(debug.arch.debugreg[3], DATA + 8, "DR3 is the last one");
	is(debug.arch.debugreg[7], 0xf55006aa, "18.2.4 RW3 is 3: accesses; LEN3 is 3: 4 bytes");
	is(debug.arch.debugreg[4] | debug.arch.debugreg[5] | debug.arch.debugreg[6], 0,
		"DR4 to DR6 are 0");
}

static void test_table(void)
{
	struct debug_registers registers = {0};
	struct debug_point eight = point(DEBUG_WATCH_WRITE, DATA, 8);
	struct debug_point other = point(DEBUG_WATCH_ACCESS, DATA, 8);

	is(set(&registers, DEBUG_WATCH_WRITE, DATA + 16, 17), -ENOSPC,
		"17 bytes are more than all registers have");
	is(debug_registers_free(&registers), 4, "... and nothing is left of them");
	is(debug_registers_set(&registers, &eight, true), 0, "8 bytes");
	is(debug_registers_set(&registers, &eight, true), 0, "... again");
	is(debug_registers_free(&registers), 2, "... take two registers once");
	is(debug_registers_set(&registers, &other, false), 0, "what is not set can be removed");
	is(debug_registers_free(&registers), 2, "... and nothing comes of it");
	is(set(&registers, DEBUG_HARDWARE_BREAKPOINT, CODE, 1), 0, "a breakpoint takes the third");
	is(debug_registers_set(&registers, &other, true), -ENOSPC,
		"no two registers are left for 8 bytes");
	is(debug_registers_free(&registers), 1, "... nor is the last one taken");
	is(set(&registers, DEBUG_WATCH_WRITE, DATA + 32, 4), 0, "4 bytes take the last one");
	is(set(&registers, DEBUG_HARDWARE_BREAKPOINT, CODE + 1, 1), -ENOSPC, "the table is full");
	is(debug_registers_set(&registers, &eight, true), 0,
		"what is set may be set again all the same");
	is(debug_registers_set(&registers, &eight, false), 0, "it goes");
	is(debug_registers_free(&registers), 2, "... with both registers");
	is(debug_registers_set(&registers, &other, true), 0, "and there is room again");
}

/* --- stops ------------------------------------------------------------------------------------ */

/* A breakpoint in DR0, 4 written bytes in DR1, 8 accessed ones in DR2 and DR3. */
static struct debug_registers four(void)
{
	struct debug_registers registers = {0};

	set(&registers, DEBUG_HARDWARE_BREAKPOINT, CODE, 1);
	set(&registers, DEBUG_WATCH_WRITE, DATA, 4);
	set(&registers, DEBUG_WATCH_ACCESS, DATA + 8, 8);
	registers.all[1].point.gpa = 0x1000;
	registers.all[2].point.gpa = registers.all[3].point.gpa = 0x2000;
	return registers;
}

enum { OTHER = 9 };

static void test_event(void)
{
	static const struct {
		uint64_t pc, dr6;
		int kind; /* OTHER: none of these registers */
		gpa_t gpa;
		const char *name;
	} cases[] = {
		{CODE, 0xffff0ff1, DEBUG_EVENT_BREAKPOINT, 0, "B0 at the breakpoint"},
		{CODE, 0x1, DEBUG_EVENT_BREAKPOINT, 0, "B0 without the fixed bits of DR6"},
		{CODE + 1, 0xffff0ff1, OTHER, 0, "B0 elsewhere"},
		{CODE + (1ull << 32), 0xffff0ff1, DEBUG_EVENT_BREAKPOINT, 0,
			"B0 at the breakpoint, where base and offset exceed 32 bits"},
		{CODE, 0xffff0ff0, OTHER, 0, "no bit, at the breakpoint's address"},
		{0x5000, 0xffff0ff2, DEBUG_EVENT_WATCH, 0x1000, "B1"},
		{0x5000, 0xffff0ff4, DEBUG_EVENT_WATCH, 0x2000, "B2, the first half"},
		{0x5000, 0xffff0ff8, DEBUG_EVENT_WATCH, 0x2000, "B3, the second half"},
		{CODE, 0xffff0ff3, DEBUG_EVENT_WATCH, 0x1000, "B0 and B1: the store came before"},
		{0x5000, 0xffff4ff0, OTHER, 0, "BS: a step alone"},
		{0x5000, 0xffff4ff2, DEBUG_EVENT_WATCH, 0x1000, "BS and B1"},
		{CODE, 0xffff4ff1, DEBUG_EVENT_BREAKPOINT, 0, "BS and B0"},
	};
	struct debug_registers registers = four();

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct kvm_debug_exit_arch exit = {
			.exception = 1, .pc = cases[i].pc, .dr6 = cases[i].dr6};
		struct debug_event event = {.kind = DEBUG_EVENT_STEP, .gpa = 77};
		bool is_ours = debug_registers_event(&registers, &exit, &event);

		if (cases[i].kind == OTHER)
			ok(!is_ours && event.kind == DEBUG_EVENT_STEP && event.gpa == 77,
				"18.2.3 %s: no point's, and event is left alone", cases[i].name);
		else
			ok(is_ours && (int)event.kind == cases[i].kind && !event.by_device &&
					(event.kind != DEBUG_EVENT_WATCH ||
						event.gpa == cases[i].gpa),
				"18.2.3 %s", cases[i].name);
	}
}

/* A processor may set bits of conditions that are not enabled. */
static void test_unused(void)
{
	const struct kvm_debug_exit_arch exit = {.exception = 1, .pc = CODE, .dr6 = 0xffff0fff};
	struct debug_registers registers = {0};
	struct debug_event event;

	ok(!debug_registers_event(&registers, &exit, &event),
		"18.2.3 bits of registers that are not in use mean nothing");
}

int main(void)
{
	test_needed();
	test_load();
	test_table();
	test_event();
	test_unused();
	return tap_done();
}
