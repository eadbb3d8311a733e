/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts in the software CPU. Clauses: SDM 3, unless they say SDM 2. */
#include <string.h>

#include "../tap.h"
#include "../x86_levels.h"

static void interrupt(struct x86_machine *m, enum x86_interrupt_kind kind)
{
	attempt(m, x86_interrupt(&m->cpu, VECTOR, kind, false, 0));
}

/* --- delivery --------------------------------------------------------------------------------- */

static void test_same_level(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	uint32_t flags;

	x86_start_at(m, 0);
	flags = x86_eflags(cpu);
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised && cpu->next_eip == HANDLER && cpu->segment[X86_CS].selector == CODE_0,
		"6.12.1 through a gate at the same level");
	is(cpu->reg[X86_RSP], STACK_3 - 12, "6.12.1 three words are pushed");
	ok(x86_on_stack(m, 0) == RETURN && x86_on_stack(m, 1) == CODE_0 &&
			x86_on_stack(m, 2) == flags,
		"6.12.1 EIP, CS, EFLAGS");
	is(x86_eflags(cpu) & (X86_IF | X86_TF | X86_NT | X86_CF | X86_AC), X86_CF | X86_AC,
		"6.12.1.3 an interrupt gate clears IF, TF and NT");
	is(m->ram[GDT + CODE_0 + 5], 0x9b, "3.4.5.1 the code segment is accessed");

	x86_start_at(m, 0);
	x86_set_gate(m, VECTOR, CODE_0, 0x8f);
	attempt(m, x86_interrupt(cpu, VECTOR, X86_FAULT, true, 0xabcd));
	ok(cpu->eflags & X86_IF && !(cpu->eflags & X86_TF), "6.12.1.3 a trap gate leaves IF");
	ok(x86_on_stack(m, 0) == 0xabcd && x86_on_stack(m, 1) == RETURN - 2,
		"6.5 a fault returns to the instruction, its error code is on top");
	is(x86_on_stack(m, 3), x86_eflags(cpu) | X86_RF | X86_TF | X86_NT,
		"18.3.1.1 a fault's EFLAGS have RF set");

	x86_start_at(m, 0);
	x86_set_gate(m, VECTOR, CODE_0, 0x86);
	interrupt(m, X86_SOFTWARE);
	ok(cpu->next_eip == (HANDLER & 0xffff) && cpu->reg[X86_RSP] == STACK_3 - 6,
		"6.12.1 a 16-bit gate: 16 bits of offset, and words");
	is(x86_on_stack(m, 0), CODE_0 << 16 | (RETURN & 0xffff), "6.12.1 IP and CS");
}

static void test_inner_level(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	uint32_t flags;

	x86_start_at(m, 3);
	flags = x86_eflags(cpu);
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised && cpu->cpl == 0 && cpu->segment[X86_CS].selector == CODE_0 &&
			cpu->segment[X86_SS].selector == DATA_0,
		"6.12.1 from CPL 3 to CPL 0");
	is(cpu->reg[X86_RSP], STACK_0 - 20, "8.2.1 on the stack of the TSS");
	ok(x86_on_stack(m, 0) == RETURN && x86_on_stack(m, 1) == (CODE_3 | 3) &&
			x86_on_stack(m, 2) == flags && x86_on_stack(m, 3) == STACK_3 &&
			x86_on_stack(m, 4) == (DATA_3 | 3),
		"6.12.1 EIP, CS, EFLAGS, ESP, SS");
	ok(cpu->tlb == cpu->tlbs[0], "4.6 the supervisor's TLB");

	x86_start_at(m, 3);
	x86_set_gate(m, VECTOR, CODE_1, 0x8e);
	interrupt(m, X86_EXTERNAL);
	ok(cpu->cpl == 1 && cpu->segment[X86_CS].selector == (CODE_1 | 1) &&
			cpu->segment[X86_SS].selector == (DATA_1 | 1) &&
			cpu->reg[X86_RSP] == STACK_0 - 0x800 - 20,
		"6.12.1 from CPL 3 to CPL 1");

	x86_start_at(m, 3);
	x86_set_gate(m, VECTOR, CONFORMING_0, 0x8e);
	interrupt(m, X86_EXTERNAL);
	ok(cpu->cpl == 3 && cpu->segment[X86_CS].selector == (CONFORMING_0 | 3) &&
			cpu->reg[X86_RSP] == STACK_3 - 12,
		"6.12.1.1 a conforming handler runs at CPL 3");

	x86_start_at(m, 3);
	cpu->tr = (struct x86_segment){TSS_SELECTOR, 0x83, 0x2b, TSS};
	x86_machine_store(m, TSS + 2, DATA_0 << 16 | (STACK_0 & 0xffff));
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised && cpu->reg[X86_RSP] == STACK_0 - 20, "8.6 the stack of a 16-bit TSS");
}

/* Something that is wrong, and the exception that it raises. changed is the byte of memory that is
 * wrong. */
struct wrong {
	const char *name;
	unsigned cpl;
	enum x86_interrupt_kind kind;
	gpa_t address; /* of a quadword */
	uint64_t value;
	unsigned vector;
	uint32_t error;
};

#define IDT_ENTRY (IDT + 8 * VECTOR)
#define IDT_ERROR (VECTOR * 8 + 2)
#define AT(s, t)  make_gate_constant(s, t)
#define make_gate_constant(s, t)                                          \
	((HANDLER & 0xffff) | (uint64_t)(s) << 16 | (uint64_t)(t) << 40 | \
		(uint64_t)(HANDLER >> 16) << 48)

static const struct wrong wrongs[] = {
	{"6.12 not a gate", 0, X86_EXTERNAL, IDT_ENTRY, AT(CODE_0, 0x8c), X86_GP, IDT_ERROR + 1},
	{"6.12 not a gate, INT n", 0, X86_SOFTWARE, IDT_ENTRY, AT(CODE_0, 0x92), X86_GP, IDT_ERROR},
	{"6.12.1.2 INT n at CPL 3, DPL 0", 3, X86_SOFTWARE, IDT_ENTRY, AT(CODE_0, 0x8e), X86_GP,
		IDT_ERROR},
	{"6.15 gate not present", 0, X86_EXTERNAL, IDT_ENTRY, AT(CODE_0, 0x0e), X86_NP,
		IDT_ERROR + 1},
	{"6.15 gate not present, INT n", 0, X86_SOFTWARE, IDT_ENTRY, AT(CODE_0, 0x0e), X86_NP,
		IDT_ERROR},
	{"SDM 2 INT: null selector", 0, X86_EXTERNAL, IDT_ENTRY, AT(0, 0x8e), X86_GP, 1},
	{"SDM 2 INT: null selector, INT n", 0, X86_SOFTWARE, IDT_ENTRY, AT(3, 0x8e), X86_GP, 0},
	{"SDM 2 INT: selector beyond the GDT", 0, X86_EXTERNAL, IDT_ENTRY, AT(LIMIT + 1, 0x8e),
		X86_GP, LIMIT + 2},
	{"SDM 2 INT: selector of no LDT", 0, X86_EXTERNAL, IDT_ENTRY, AT(CODE_0 | 4, 0x8e), X86_GP,
		CODE_0 + 5},
	{"SDM 2 INT: data", 0, X86_EXTERNAL, IDT_ENTRY, AT(DATA_0, 0x8e), X86_GP, DATA_0 + 1},
	{"SDM 2 INT: DPL above CPL", 0, X86_EXTERNAL, IDT_ENTRY, AT(CODE_3, 0x8e), X86_GP,
		CODE_3 + 1},
	{"SDM 2 INT: code not present", 0, X86_EXTERNAL, IDT_ENTRY, AT(ABSENT_CODE_0, 0x8e), X86_NP,
		ABSENT_CODE_0 + 1},
	{"SDM 2 INT: beyond the code segment", 0, X86_EXTERNAL, IDT_ENTRY, AT(SMALL_CODE_0, 0x8e),
		X86_GP, 1},
	{"SDM 2 INT: beyond the code segment, CPL 3", 3, X86_EXTERNAL, IDT_ENTRY,
		AT(SMALL_CODE_0, 0x8e), X86_GP, 1},
	{"SDM 2 INT: SS0 null", 3, X86_EXTERNAL, TSS + 8, 0, X86_TS, 1},
	{"SDM 2 INT: SS0 beyond the GDT", 3, X86_EXTERNAL, TSS + 8, LIMIT + 1, X86_TS, LIMIT + 2},
	{"SDM 2 INT: RPL of SS0", 3, X86_EXTERNAL, TSS + 8, DATA_0 + 3, X86_TS, DATA_0 + 1},
	{"SDM 2 INT: DPL of SS0", 3, X86_EXTERNAL, TSS + 8, DATA_3, X86_TS, DATA_3 + 1},
	{"SDM 2 INT: SS0 is code", 3, X86_EXTERNAL, TSS + 8, CODE_0, X86_TS, CODE_0 + 1},
	{"SDM 2 INT: SS0 not present", 3, X86_EXTERNAL, TSS + 8, ABSENT_DATA_0, X86_SS_FAULT,
		ABSENT_DATA_0 + 1},
	{"SDM 2 INT: no room on SS0", 3, X86_EXTERNAL, TSS + 8, SMALL_DATA_0, X86_SS_FAULT,
		SMALL_DATA_0 + 1},
};

static void check_wrong(struct x86_machine *m, const struct wrong *wrong)
{
	struct x86_cpu before;

	x86_start_at(m, wrong->cpl);
	x86_machine_store64(m, wrong->address, wrong->value);
	before = m->cpu;
	interrupt(m, wrong->kind);
	ok(x86_machine_raised(m, wrong->vector, wrong->error), "%s", wrong->name);
	ok(memcmp(before.segment, m->cpu.segment, sizeof before.segment) == 0 &&
			memcmp(before.reg, m->cpu.reg, sizeof before.reg) == 0 &&
			before.cpl == m->cpu.cpl && before.eflags == m->cpu.eflags,
		"6.5 %s: nothing is changed", wrong->name);
}

static void test_wrong(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	for (unsigned i = 0; i < sizeof wrongs / sizeof *wrongs; i++)
		check_wrong(m, &wrongs[i]);

	x86_start_at(m, 0);
	cpu->idtr.limit = VECTOR * 8 + 6;
	interrupt(m, X86_EXTERNAL);
	ok(x86_machine_raised(m, X86_GP, IDT_ERROR + 1), "6.10 beyond the IDT");
	x86_start_at(m, 3);
	cpu->tr.limit = 8;
	interrupt(m, X86_EXTERNAL);
	ok(x86_machine_raised(m, X86_TS, TSS_SELECTOR + 1), "8.2.1 SS0 beyond the TSS");
	cpu->tr.limit = 9;
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised, "8.2.1 SS0 just within the TSS");
	x86_start_at(m, 0);
	cpu->segment[X86_SS].limit = STACK_3 - 5;
	interrupt(m, X86_EXTERNAL);
	ok(x86_machine_raised(m, X86_SS_FAULT, 1), "SDM 2 INT: no room on the same stack");
	is(cpu->reg[X86_RSP], STACK_3, "6.5 the stack pointer is where it was");
}

/* A frame over a page that is not there: no half of it is stored. */
static void test_page_fault(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	x86_start_at(m, 0);
	x86_machine_store(m, 0xa000, 0xb000 | 3);
	for (unsigned i = 0; i < 16; i++)
		x86_machine_store(m, 0xb000 + 4 * i, i * 0x1000 | (i == 7 ? 0 : 3));
	cpu->cr3 = 0xa000;
	cpu->cr0 |= X86_CR0_PG;
	x86_tlb_flush(cpu, false);
	cpu->reg[X86_RSP] = 0x8008;
	x86_machine_store(m, 0x8004, 0x77777777);
	interrupt(m, X86_EXTERNAL);
	ok(x86_machine_raised(m, X86_PF_FAULT, 2) && cpu->raised.cr2 == 0x7ffc,
		"6.15 #PF for the last word of the frame");
	is(x86_machine_load(m, 0x8004), 0x77777777, "6.5 the words before are not stored");
	cpu->cr0 &= ~(uint64_t)X86_CR0_PG;
	x86_tlb_flush(cpu, false);
}

static void test_real_mode(struct x86_machine *m)
{
	static const struct x86_operands iret = {.operand_size = 2};
	struct x86_cpu *cpu = &m->cpu;

	x86_start_at(m, 0);
	x86_cpu_reset(cpu, false);
	cpu->idtr = (struct x86_table){0, 0x3ff};
	x86_load_segment(cpu, X86_SS, 0x900);
	cpu->reg[X86_RSP] = 0xabcd0100;
	cpu->next_eip = 0x1234;
	x86_set_eflags(cpu, X86_IF | X86_TF | X86_AC | X86_ZF, UINT32_MAX);
	x86_machine_store(m, 4 * VECTOR, 0x30004321);
	attempt(m, x86_interrupt(cpu, VECTOR, X86_FAULT, true, 5));
	ok(!m->raised && cpu->next_eip == 0x4321 && cpu->segment[X86_CS].base == 0x30000,
		"20.1.4 real mode: CS:IP from the table");
	is(cpu->reg[X86_RSP], 0xabcd00fa, "20.1.4 real mode: three words, and no error code");
	is(x86_machine_load(m, 0x90fc), (X86_FLAG_ONE | X86_IF | X86_TF | X86_ZF) << 16 | 0xf000,
		"20.1.4 real mode: FLAGS and CS");
	ok(!(cpu->eflags & (X86_IF | X86_TF | X86_AC)), "20.1.4 real mode: IF, TF and AC clear");
	cpu->nmi_masked = true;
	attempt(m, x86_op_iret(cpu, &iret));
	ok(!m->raised && cpu->segment[X86_CS].selector == 0xf000 && cpu->reg[X86_RSP] == 0xabcd0100,
		"SDM 2 IRET, real mode");
	is(x86_eflags(cpu) & 0xffff, X86_FLAG_ONE | X86_IF | X86_TF | X86_ZF, "SDM 2 IRET: FLAGS");
	ok(!cpu->nmi_masked, "6.7.1 IRET lets NMI in");
	cpu->idtr.limit = 4 * VECTOR + 2;
	interrupt(m, X86_EXTERNAL);
	ok(m->raised && cpu->raised.vector == X86_GP, "20.1.4 real mode: beyond the table");
}

static void test_software_interrupts(struct x86_machine *m)
{
	static const struct x86_operands int_n = {.immediate = VECTOR};
	struct x86_cpu *cpu = &m->cpu;

	x86_start_at(m, 3);
	x86_set_gate(m, VECTOR, CODE_0, 0xee);
	attempt(m, x86_op_int(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 0 && x86_on_stack(m, 0) == RETURN, "SDM 2 INT n");
	x86_start_at(m, 3);
	x86_set_gate(m, X86_BP, CODE_0, 0x8e);
	attempt(m, x86_op_int3(cpu, &int_n));
	ok(x86_machine_raised(m, X86_GP, X86_BP * 8 + 2), "SDM 2 INT3 heeds DPL");
	x86_start_at(m, 3);
	x86_set_gate(m, X86_DB, CODE_0, 0x8e);
	cpu->dr[7] = 0x2400;
	attempt(m, x86_op_int1(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 0 && x86_on_stack(m, 0) == RETURN, "SDM 2 INT1 does not");
	is(cpu->dr[7], 0x400, "18.2.4 the handler of #DB finds GD clear");
	x86_start_at(m, 3);
	x86_set_gate(m, X86_OF_TRAP, CODE_0, 0xee);
	attempt(m, x86_op_into(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 3, "SDM 2 INTO without OF does nothing");
	x86_set_eflags(cpu, X86_OF, X86_OF);
	attempt(m, x86_op_into(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 0 && x86_on_stack(m, 0) == RETURN, "SDM 2 INTO with OF");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	test_same_level(m);
	test_inner_level(m);
	test_wrong(m);
	test_page_fault(m);
	test_real_mode(m);
	test_software_interrupts(m);
	x86_machine_free(m);
	return tap_done();
}
