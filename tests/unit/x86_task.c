/* SPDX-License-Identifier: BSD-2-Clause */
/* Task switches in the software CPU. Clauses: SDM 3, chapter 7. */
#include <string.h>

#include "../tap.h"
#include "../x86_descriptors.h"
#include "../x86_machine.h"

#define TSS_A    0x3000u /* the current task's */
#define TSS_B    0x3100u
#define LDT_BASE 0x3200u
#define STACK    0x8000u /* of task B */
#define ENTRY    0x00123456u

enum {
	LDT = 0x28,
	A = 0x30,
	B = 0x38,
	GATE = 0x40,
	ABSENT_CODE = 0x48,
	ABSENT_DATA = 0x50,
	LIMIT = 0x57,
};

static uint8_t type_of(const struct x86_machine *m, uint16_t selector)
{
	return m->ram[GDT + selector + 5];
}

static uint16_t load16(const struct x86_machine *m, gpa_t gpa)
{
	return (uint16_t)x86_machine_load(m, gpa);
}

/* Task B: what its TSS says. */
static void make_task(struct x86_machine *m)
{
	static const uint16_t selectors[] = {DATA_0, CODE_0, DATA_0, DATA_0, 0, 0, LDT};

	x86_machine_store(m, TSS_B + 0x1c, 0x7000);
	x86_machine_store(m, TSS_B + 0x20, ENTRY);
	x86_machine_store(m, TSS_B + 0x24, X86_FLAG_ONE | X86_DF | X86_ZF);
	for (unsigned i = 0; i < 8; i++)
		x86_machine_store(m, TSS_B + 0x28 + 4 * i, 0xb0000000 + i);
	x86_machine_store(m, TSS_B + 0x28 + 4 * X86_RSP, STACK);
	for (unsigned i = 0; i < 7; i++)
		x86_machine_store(m, TSS_B + 0x48 + 4 * i, selectors[i]);
}

static void start(struct x86_machine *m)
{
	static const uint64_t gdt[] = {0, FLAT(0x9a), FLAT(0x92), FLAT(0xfa), FLAT(0xf2),
		SYSTEM_SEGMENT(LDT_BASE, 7, 0x82), SYSTEM_SEGMENT(TSS_A, 0x67, 0x8b),
		SYSTEM_SEGMENT(TSS_B, 0x67, 0x89), (uint64_t)B << 16 | UINT64_C(0xe5) << 40,
		FLAT(0x1a), FLAT(0x12)};
	struct x86_cpu *cpu = &m->cpu;

	memset(m->ram, 0, 0x10000);
	memcpy(m->ram + GDT, gdt, sizeof gdt);
	memcpy(m->ram + IDT + 8 * VECTOR, &gdt[GATE / 8], 8);
	x86_machine_store64(m, LDT_BASE, FLAT(0x92));
	cpu->gdtr = (struct x86_table){GDT, LIMIT};
	cpu->idtr = (struct x86_table){IDT, 0x7ff};
	cpu->tr = (struct x86_segment){A, 0x8b, 0x67, TSS_A};
	cpu->ldtr = (struct x86_segment){0};
	x86_set_cpl(cpu, 0);
	x86_machine_protect(m);
	cpu->cr0 &= ~(uint64_t)X86_CR0_TS;
	for (unsigned i = 0; i < 8; i++)
		cpu->reg[i] = 0xa0000000 + i;
	cpu->reg[X86_RSP] = 0x9000;
	x86_set_eflags(cpu, X86_IF | X86_CF, UINT32_MAX & ~X86_FLAG_ONE);
	cpu->eip = RETURN - 7;
	cpu->next_eip = RETURN;
	cpu->dr[6] = 0xffff0ff0;
	cpu->dr[7] = 0x7ff;
	make_task(m);
}

static const struct x86_operands *far_to(uint16_t selector)
{
	static struct x86_operands operands;

	operands = (struct x86_operands){.selector = selector, .operand_size = 4};
	return &operands;
}

static void jump(struct x86_machine *m, uint16_t selector)
{
	attempt(m, x86_op_far_jump(&m->cpu, far_to(selector)));
}

static void call(struct x86_machine *m, uint16_t selector)
{
	attempt(m, x86_op_far_call(&m->cpu, far_to(selector)));
}

static void interrupt(struct x86_machine *m)
{
	attempt(m, x86_interrupt(&m->cpu, VECTOR, X86_FAULT, true, 0x5678));
}

/* Whether the CPU's registers are those of task B's TSS. */
static bool is_in_b(const struct x86_machine *m)
{
	const struct x86_cpu *cpu = &m->cpu;

	return cpu->next_eip == ENTRY && cpu->reg[X86_RAX] == 0xb0000000 &&
	       cpu->reg[X86_RDI] == 0xb0000007 && cpu->tr.selector == B && cpu->tr.base == TSS_B &&
	       cpu->segment[X86_CS].selector == CODE_0 &&
	       cpu->segment[X86_ES].limit == 0xffffffff && cpu->segment[X86_GS].rights == 0 &&
	       cpu->ldtr.base == LDT_BASE;
}

static void test_jump(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	jump(m, B);
	ok(!m->raised && is_in_b(m) && cpu->reg[X86_RSP] == STACK, "8.3 JMP loads the new state");
	is(x86_eflags(cpu), X86_FLAG_ONE | X86_DF | X86_ZF, "8.3 JMP: EFLAGS, NT clear");
	ok(type_of(m, A) == 0x89 && type_of(m, B) == 0x8b, "table 7-2 JMP: busy bits");
	is(x86_machine_load(m, TSS_B), 0, "table 7-2 JMP: no previous task link");
	ok(cpu->cr0 & X86_CR0_TS, "8.3 CR0.TS is set");
	is(cpu->dr[7] & 0x155, 0, "18.2.4 local breakpoints are disabled");
	ok(cpu->cr3 != 0x7000, "8.5 CR3 is loaded with paging only");
	is(x86_machine_load(m, TSS_A + 0x20), RETURN, "8.3 the old EIP is that of the next one");
	is(x86_machine_load(m, TSS_A + 0x24), X86_FLAG_ONE | X86_IF | X86_CF, "8.3 old EFLAGS");
	ok(x86_machine_load(m, TSS_A + 0x28) == 0xa0000000 &&
			x86_machine_load(m, TSS_A + 0x28 + 4 * X86_RSP) == 0x9000 &&
			x86_machine_load(m, TSS_A + 0x44) == 0xa0000007,
		"8.3 old general registers");
	ok(load16(m, TSS_A + 0x4c) == 0x08 && load16(m, TSS_A + 0x50) == 0x10, "8.3 old selectors");
	ok(m->ram[GDT + CODE_0 + 5] == 0x9b && m->ram[GDT + DATA_0 + 5] == 0x93,
		"3.4.5.1 the new segments are accessed");
}

static void test_nesting(struct x86_machine *m)
{
	static const struct x86_operands iret = {.operand_size = 4};
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	call(m, B);
	ok(!m->raised && is_in_b(m), "8.3 CALL loads the new state");
	ok(cpu->eflags & X86_NT, "table 7-2 CALL: NT is set");
	is(load16(m, TSS_B), A, "table 7-2 CALL: previous task link");
	ok(type_of(m, A) == 0x8b && type_of(m, B) == 0x8b, "table 7-2 CALL: both are busy");
	is(x86_machine_load(m, TSS_A + 0x24) & X86_NT, 0,
		"table 7-2 CALL: NT of the old is as before");
	cpu->next_eip = 0x777;
	attempt(m, x86_op_iret(cpu, &iret));
	ok(!m->raised && cpu->tr.selector == A && cpu->next_eip == RETURN &&
			cpu->reg[X86_RDI] == 0xa0000007 && cpu->reg[X86_RSP] == 0x9000,
		"8.4 IRET goes back");
	ok(type_of(m, A) == 0x8b && type_of(m, B) == 0x89, "table 7-2 IRET: busy bits");
	ok(!(x86_machine_load(m, TSS_B + 0x24) & X86_NT), "table 7-2 IRET: the old NT is clear");
	is(x86_machine_load(m, TSS_B + 0x20), 0x777, "8.4 IRET: the next CALL goes on behind it");

	start(m);
	cpu->eflags |= X86_NT;
	attempt(m, x86_op_iret(cpu, &iret));
	ok(x86_machine_raised(m, X86_TS, 0), "SDM 2 IRET: previous task link null: #TS(0)");
	x86_machine_store(m, TSS_A, B);
	attempt(m, x86_op_iret(cpu, &iret));
	ok(x86_machine_raised(m, X86_TS, B), "SDM 2 IRET: previous task not busy: #TS");
	x86_machine_store(m, TSS_A, B | 4);
	attempt(m, x86_op_iret(cpu, &iret));
	ok(x86_machine_raised(m, X86_TS, B | 4), "SDM 2 IRET: previous task in the LDT: #TS");
	ok(cpu->tr.selector == A && cpu->next_eip == RETURN, "8.3 these were of the old task");
}

static void test_gates(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	call(m, GATE);
	ok(!m->raised && is_in_b(m) && load16(m, TSS_B) == A, "8.2.5 CALL through a task gate");
	start(m);
	interrupt(m);
	ok(!m->raised && is_in_b(m) && cpu->eflags & X86_NT, "6.12.2 an exception by a task gate");
	is(x86_machine_load(m, TSS_A + 0x20), RETURN - 7, "6.5 a fault returns to the instruction");
	ok(cpu->reg[X86_RSP] == STACK - 4 && x86_machine_load(m, STACK - 4) == 0x5678,
		"6.13 its error code is on the new stack");

	start(m);
	x86_machine_store64(m, GDT + GATE, (uint64_t)(B | 4) << 16 | UINT64_C(0xe5) << 40);
	call(m, GATE);
	ok(x86_machine_raised(m, X86_GP, B | 4), "SDM 2 CALL: a TSS of the LDT: #GP");
	start(m);
	x86_machine_store64(m, GDT + GATE, (uint64_t)B << 16 | UINT64_C(0x65) << 40);
	call(m, GATE);
	ok(x86_machine_raised(m, X86_NP, GATE), "SDM 2 CALL: task gate not present: #NP");
	start(m);
	m->ram[GDT + B + 5] = 0x8b;
	interrupt(m);
	ok(x86_machine_raised(m, X86_GP, B | 1), "SDM 2 INT: a busy task: #GP with EXT");
	start(m);
	x86_machine_store(m, TSS_B + 0x50, 0x9000 & 0xfff8);
	interrupt(m);
	ok(x86_machine_raised(m, X86_TS, (0x9000 & 0xfff8) | 1), "8.3 SS of the new task: EXT");
}

/* --- faults before the switch ----------------------------------------------------------------- */

struct refusal {
	const char *name;
	uint8_t type; /* of B's descriptor */
	uint8_t limit;
	unsigned rpl, vector;
	uint32_t error;
};

static const struct refusal refusals[] = {
	{"busy", 0x8b, 0x67, 0, X86_GP, B},
	{"an LDT", 0x82, 0x67, 0, X86_GP, B},
	{"RPL above DPL", 0x89, 0x67, 3, X86_GP, B},
	{"not present", 0x09, 0x67, 0, X86_NP, B},
	{"limit too small", 0x89, 0x66, 0, X86_TS, B},
	{"limit of a 16-bit TSS too small", 0x81, 0x2a, 0, X86_TS, B},
};

static void check_refusal(struct x86_machine *m, const struct refusal *refusal)
{
	struct x86_cpu before;

	start(m);
	x86_machine_store64(m, GDT + B, SYSTEM_SEGMENT(TSS_B, refusal->limit, refusal->type));
	before = m->cpu;
	jump(m, (uint16_t)(B | refusal->rpl));
	ok(x86_machine_raised(m, refusal->vector, refusal->error), "table 7-1 %s", refusal->name);
	ok(memcmp(before.reg, m->cpu.reg, sizeof before.reg) == 0 && m->cpu.tr.selector == A &&
			type_of(m, A) == 0x8b && m->cpu.raised.eip == RETURN - 7,
		"8.3 %s: in the old task", refusal->name);
}

/* --- faults after it -------------------------------------------------------------------------- */

struct failure {
	const char *name;
	uint16_t offset; /* in the TSS */
	uint32_t value;
	unsigned vector;
	uint32_t error;
};

static const struct failure failures[] = {
	{"LDT in the LDT", 0x60, LDT | 4, X86_TS, LDT | 4},
	{"LDT is data", 0x60, DATA_0, X86_TS, DATA_0},
	{"CS null", 0x4c, 0, X86_TS, 0},
	{"CS beyond the GDT", 0x4c, LIMIT + 1, X86_TS, LIMIT + 1},
	{"CS is data", 0x4c, DATA_0, X86_TS, DATA_0},
	{"RPL of CS", 0x4c, CODE_0 | 3, X86_TS, CODE_0},
	{"CS not present", 0x4c, ABSENT_CODE, X86_NP, ABSENT_CODE},
	{"SS null", 0x50, 0, X86_TS, 0},
	{"SS is code", 0x50, CODE_0, X86_TS, CODE_0},
	{"DPL of SS", 0x50, DATA_3, X86_TS, DATA_3},
	{"SS not present", 0x50, ABSENT_DATA, X86_SS_FAULT, ABSENT_DATA},
	{"DS beyond the GDT", 0x54, LIMIT + 1, X86_TS, LIMIT + 1},
	{"ES is an LDT", 0x48, LDT, X86_TS, LDT},
	{"FS not present", 0x58, ABSENT_DATA, X86_NP, ABSENT_DATA},
	{"GS beyond the LDT", 0x5c, 8 | 4, X86_TS, 8 | 4},
};

static void check_failure(struct x86_machine *m, const struct failure *failure)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	x86_machine_store(m, TSS_B + failure->offset, failure->value);
	jump(m, B);
	ok(x86_machine_raised(m, failure->vector, failure->error), "table 7-1 %s", failure->name);
	ok(cpu->tr.selector == B && cpu->raised.eip == ENTRY && cpu->reg[X86_RAX] == 0xb0000000 &&
			type_of(m, B) == 0x8b,
		"8.3 %s: in the new task", failure->name);
}

static void test_faults(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++)
		check_refusal(m, &refusals[i]);
	for (unsigned i = 0; i < sizeof failures / sizeof *failures; i++)
		check_failure(m, &failures[i]);

	start(m);
	x86_machine_store(m, TSS_B + 0x64, 1);
	jump(m, B);
	ok(x86_machine_raised(m, X86_DB, X86_NO_ERROR) && cpu->raised.eip == ENTRY &&
			cpu->dr[6] & 0x8000,
		"18.3.1.5 the T flag: #DB before the new task's first instruction, DR6.BT");

	start(m);
	x86_machine_store(m, TSS_B + 0x24, X86_VM);
	jump(m, B);
	ok(m->raised && cpu->refused && cpu->missing == X86_MISSING_VIRTUAL_8086,
		"a virtual-8086 task is refused by name");
	cpu->refused = false;
}

static void test_levels(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	x86_machine_store(m, TSS_B + 0x4c, CODE_3 | 3);
	for (unsigned i = 0; i < 4; i++)
		if (i != X86_CS)
			x86_machine_store(m, TSS_B + 0x48 + 4 * i, DATA_3 | 3);
	jump(m, B);
	ok(!m->raised && cpu->cpl == 3 && cpu->tlb == cpu->tlbs[1], "8.3 a task of CPL 3");

	/* 16-bit TSSs on both sides. */
	start(m);
	x86_machine_store64(m, GDT + B, SYSTEM_SEGMENT(TSS_B, 0x2b, 0x81));
	cpu->tr = (struct x86_segment){A, 0x83, 0x2b, TSS_A};
	memset(m->ram + TSS_B, 0, 0x68);
	x86_machine_store(m, TSS_B + 0x0e, X86_FLAG_ONE << 16 | 0x1234);
	x86_machine_store(m, TSS_B + 0x1a, 0x5678);
	x86_machine_store64(m, TSS_B + 0x22,
		DATA_0 | CODE_0 << 16 | (uint64_t)DATA_0 << 32 | (uint64_t)DATA_0 << 48);
	x86_machine_store(m, TSS_B + 0x2a, LDT);
	call(m, B);
	ok(!m->raised && cpu->next_eip == 0x1234 && cpu->reg[X86_RSP] == 0xffff5678 &&
			cpu->segment[X86_DS].selector == DATA_0 &&
			cpu->segment[X86_FS].selector == 0 && cpu->ldtr.base == LDT_BASE,
		"8.6 a 16-bit TSS is loaded");
	ok(load16(m, TSS_A + 0x0e) == (RETURN & 0xffff) && load16(m, TSS_A + 0x12) == 0 &&
			load16(m, TSS_A + 0x20) == 7 && load16(m, TSS_A + 0x24) == 0x08,
		"8.6 a 16-bit TSS is saved");
	is(load16(m, TSS_A + 0x2a), 0, "8.6 its LDT is not");
}

static void test_paging(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	x86_machine_store(m, 0x7000, 0xb000 | 3);
	x86_machine_store(m, 0xa000, 0xb000 | 3);
	for (unsigned i = 0; i < 16; i++)
		x86_machine_store(m, 0xb000 + 4 * i, i * 0x1000 | 3);
	cpu->cr3 = 0xa000;
	cpu->cr0 |= X86_CR0_PG;
	x86_tlb_flush(cpu, false);
	jump(m, B);
	ok(!m->raised && cpu->cr3 == 0x7000, "8.5 CR3 of the new task");

	/* The old TSS is read-only to the supervisor: nothing may change. */
	start(m);
	cpu->cr3 = 0xa000;
	cpu->cr0 |= X86_CR0_PG | X86_CR0_WP;
	x86_machine_store(m, 0xa000, 0xb000 | 3);
	for (unsigned i = 0; i < 16; i++)
		x86_machine_store(m, 0xb000 + 4 * i, i * 0x1000 | (i == 3 ? 1 : 3));
	x86_tlb_flush(cpu, false);
	jump(m, B);
	ok(x86_machine_raised(m, X86_PF_FAULT, 3) && cpu->tr.selector == A &&
			type_of(m, A) == 0x8b && type_of(m, B) == 0x89,
		"8.3 #PF for the old TSS is in the old task, which stays busy");
	cpu->cr0 &= ~(uint64_t)(X86_CR0_PG | X86_CR0_WP);
	x86_tlb_flush(cpu, false);
}

/* --- the I/O permission bit map --------------------------------------------------------------- */

static bool may_access(struct x86_machine *m, uint16_t port, unsigned len)
{
	attempt(m, x86_check_port(&m->cpu, port, len));
	return !m->raised;
}

static void test_ports(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	cpu->tr.limit = 0x67 + 0x21;
	x86_machine_store(m, TSS_A + 0x64, 0x68u << 16);
	memset(m->ram + TSS_A + 0x68, 0, 0x22);
	m->ram[TSS_A + 0x68 + 0x40 / 8] = 0x02; /* port 0x41 */
	x86_set_cpl(cpu, 3);
	ok(may_access(m, 0x40, 1), "SDM 1, 19.5.2 a clear bit permits");
	ok(!may_access(m, 0x41, 1) && x86_machine_raised(m, X86_GP, 0), "SDM 1, 19.5.2 a set bit");
	ok(!may_access(m, 0x40, 2) && !may_access(m, 0x3e, 4), "SDM 1, 19.5.2 of any byte");
	ok(may_access(m, 0x3d, 4) && may_access(m, 0x42, 4), "SDM 1, 19.5.2 around it");
	ok(may_access(m, 0xff, 1), "SDM 1, 19.5.2 the last port of the map");
	ok(!may_access(m, 0x100, 1), "SDM 1, 19.5.2 a port beyond the map");
	x86_set_eflags(cpu, X86_IOPL_MASK, X86_IOPL_MASK);
	ok(may_access(m, 0x41, 1), "SDM 1, 19.5.1 IOPL permits");
	x86_set_eflags(cpu, 0, X86_IOPL_MASK);
	x86_machine_store(m, TSS_A + 0x64, 0xffffu << 16);
	ok(!may_access(m, 0xffff, 4), "SDM 1, 19.5.2 a map beyond the limit");
	cpu->tr.rights = 0x83;
	ok(!may_access(m, 0x40, 1), "SDM 1, 19.5.2 a 16-bit TSS has no map");
	x86_set_cpl(cpu, 0);
	ok(may_access(m, 0x41, 1), "SDM 1, 19.5.1 CPL 0 needs none");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	test_jump(m);
	test_nesting(m);
	test_gates(m);
	test_faults(m);
	test_levels(m);
	test_paging(m);
	test_ports(m);
	x86_machine_free(m);
	return tap_done();
}
