/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts, far transfers and returns in the software CPU. Clauses: SDM 3, or as they say. */
#include <string.h>

#include "../tap.h"
#include "../x86_machine.h"

#define GDT     0x1000u
#define IDT     0x2000u
#define TSS     0x3000u
#define STACK_0 0x8000u /* ESP0 of the TSS */
#define STACK_3 0x9000u
#define HANDLER 0x00123456u
#define RETURN  0x00400010u

enum {
	CODE_0 = 0x08,
	DATA_0 = 0x10,
	CODE_3 = 0x18,
	DATA_3 = 0x20,
	CONFORMING_0 = 0x28,
	ABSENT_CODE_0 = 0x30,
	SMALL_CODE_0 = 0x38, /* limit 0xfff */
	ABSENT_DATA_0 = 0x40,
	SMALL_DATA_0 = 0x48, /* limit 3: no frame fits */
	TSS_SELECTOR = 0x50,
	GATE = 0x58, /* a call gate that tests fill in */
	CODE_1 = 0x60,
	DATA_1 = 0x68,
	LIMIT = 0x7f,
	VECTOR = 0x21,
};

#define FLAT(type)         (UINT64_C(0x00cf00000000ffff) | (uint64_t)(type) << 40)
#define SMALL(type, limit) (UINT64_C(0x0040000000000000) | (uint64_t)(type) << 40 | (limit))

static uint64_t make_gate(uint16_t selector, uint32_t offset, uint8_t type, uint8_t parameters)
{
	return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)parameters << 32 |
	       (uint64_t)type << 40 | (uint64_t)(offset >> 16) << 48;
}

static void set_gate(struct x86_machine *m, unsigned vector, uint16_t selector, uint8_t type)
{
	x86_machine_store64(m, IDT + 8 * vector, make_gate(selector, HANDLER, type, 0));
}

static void set_registers(struct x86_machine *m, unsigned cpl)
{
	struct x86_segment code = {CODE_0, 0xc09b, 0xffffffff, 0};
	struct x86_segment data = {DATA_0, 0xc093, 0xffffffff, 0};
	struct x86_cpu *cpu = &m->cpu;

	if (cpl == 3) {
		code.selector = CODE_3 | 3;
		code.rights = 0xc0fb;
		data.selector = DATA_3 | 3;
		data.rights = 0xc0f3;
	}
	cpu->cr0 |= X86_CR0_PE;
	for (unsigned i = 0; i < X86_SEGMENTS; i++)
		x86_set_segment(cpu, i, i == X86_CS ? &code : &data);
	x86_set_cpl(cpu, (uint8_t)cpl);
	cpu->reg[X86_RSP] = STACK_3;
	cpu->eip = RETURN - 2;
	cpu->next_eip = RETURN;
	x86_set_eflags(cpu, X86_IF | X86_TF | X86_NT | X86_CF | X86_AC, UINT32_MAX);
}

static void start(struct x86_machine *m, unsigned cpl)
{
	static const uint64_t gdt[] = {0, FLAT(0x9a), FLAT(0x92), FLAT(0xfa), FLAT(0xf2),
		FLAT(0x9e), FLAT(0x1a), SMALL(0x9a, 0xfff), FLAT(0x12), SMALL(0x92, 3), 0, 0,
		FLAT(0xba), FLAT(0xb2)};
	struct x86_cpu *cpu = &m->cpu;

	memset(m->ram, 0, 0x10000);
	memcpy(m->ram + GDT, gdt, sizeof gdt);
	x86_machine_store(m, TSS + 4, STACK_0);
	x86_machine_store(m, TSS + 8, DATA_0);
	x86_machine_store(m, TSS + 0xc, STACK_0 - 0x800);
	x86_machine_store(m, TSS + 0x10, DATA_1 | 1);
	cpu->gdtr = (struct x86_table){GDT, LIMIT};
	cpu->idtr = (struct x86_table){IDT, 0x7ff};
	cpu->tr = (struct x86_segment){TSS_SELECTOR, 0x8b, 0x67, TSS};
	cpu->ldtr = (struct x86_segment){0};
	set_registers(m, cpl);
	set_gate(m, VECTOR, CODE_0, 0x8e);
}

static void interrupt(struct x86_machine *m, enum x86_interrupt_kind kind)
{
	attempt(m, x86_interrupt(&m->cpu, VECTOR, kind, false, 0));
}

/* The word so many words above the top of the stack. */
static uint32_t on_stack(const struct x86_machine *m, unsigned n)
{
	return x86_machine_load(m, m->cpu.segment[X86_SS].base + m->cpu.reg[X86_RSP] + 4 * n);
}

/* --- delivery --------------------------------------------------------------------------------- */

static void test_same_level(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	uint32_t flags;

	start(m, 0);
	flags = x86_eflags(cpu);
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised && cpu->next_eip == HANDLER && cpu->segment[X86_CS].selector == CODE_0,
		"6.12.1 through a gate at the same level");
	is(cpu->reg[X86_RSP], STACK_3 - 12, "6.12.1 three words are pushed");
	ok(on_stack(m, 0) == RETURN && on_stack(m, 1) == CODE_0 && on_stack(m, 2) == flags,
		"6.12.1 EIP, CS, EFLAGS");
	is(x86_eflags(cpu) & (X86_IF | X86_TF | X86_NT | X86_CF | X86_AC), X86_CF | X86_AC,
		"6.12.1.3 an interrupt gate clears IF, TF and NT");
	is(m->ram[GDT + CODE_0 + 5], 0x9b, "3.4.5.1 the code segment is accessed");

	start(m, 0);
	set_gate(m, VECTOR, CODE_0, 0x8f);
	attempt(m, x86_interrupt(cpu, VECTOR, X86_FAULT, true, 0xabcd));
	ok(cpu->eflags & X86_IF && !(cpu->eflags & X86_TF), "6.12.1.3 a trap gate leaves IF");
	ok(on_stack(m, 0) == 0xabcd && on_stack(m, 1) == RETURN - 2,
		"6.5 a fault returns to the instruction, its error code is on top");
	is(on_stack(m, 3), x86_eflags(cpu) | X86_RF | X86_TF | X86_NT,
		"17.3.1.1 a fault's EFLAGS have RF set");

	start(m, 0);
	set_gate(m, VECTOR, CODE_0, 0x86);
	interrupt(m, X86_SOFTWARE);
	ok(cpu->next_eip == (HANDLER & 0xffff) && cpu->reg[X86_RSP] == STACK_3 - 6,
		"6.12.1 a 16-bit gate: 16 bits of offset, and words");
	is(on_stack(m, 0), CODE_0 << 16 | (RETURN & 0xffff), "6.12.1 IP and CS");
}

static void test_inner_level(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	uint32_t flags;

	start(m, 3);
	flags = x86_eflags(cpu);
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised && cpu->cpl == 0 && cpu->segment[X86_CS].selector == CODE_0 &&
			cpu->segment[X86_SS].selector == DATA_0,
		"6.12.1 from CPL 3 to CPL 0");
	is(cpu->reg[X86_RSP], STACK_0 - 20, "7.2.1 on the stack of the TSS");
	ok(on_stack(m, 0) == RETURN && on_stack(m, 1) == (CODE_3 | 3) && on_stack(m, 2) == flags &&
			on_stack(m, 3) == STACK_3 && on_stack(m, 4) == (DATA_3 | 3),
		"6.12.1 EIP, CS, EFLAGS, ESP, SS");
	ok(cpu->tlb == cpu->tlbs[0], "4.6 the supervisor's TLB");

	start(m, 3);
	set_gate(m, VECTOR, CODE_1, 0x8e);
	interrupt(m, X86_EXTERNAL);
	ok(cpu->cpl == 1 && cpu->segment[X86_CS].selector == (CODE_1 | 1) &&
			cpu->segment[X86_SS].selector == (DATA_1 | 1) &&
			cpu->reg[X86_RSP] == STACK_0 - 0x800 - 20,
		"6.12.1 from CPL 3 to CPL 1");

	start(m, 3);
	set_gate(m, VECTOR, CONFORMING_0, 0x8e);
	interrupt(m, X86_EXTERNAL);
	ok(cpu->cpl == 3 && cpu->segment[X86_CS].selector == (CONFORMING_0 | 3) &&
			cpu->reg[X86_RSP] == STACK_3 - 12,
		"6.12.1.1 a conforming handler runs at CPL 3");

	start(m, 3);
	cpu->tr = (struct x86_segment){TSS_SELECTOR, 0x83, 0x2b, TSS};
	x86_machine_store(m, TSS + 2, DATA_0 << 16 | (STACK_0 & 0xffff));
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised && cpu->reg[X86_RSP] == STACK_0 - 20, "7.6 the stack of a 16-bit TSS");
}

/* What can be wrong, and what it raises. changed says in which byte of memory it is. */
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

	start(m, wrong->cpl);
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

	start(m, 0);
	cpu->idtr.limit = VECTOR * 8 + 6;
	interrupt(m, X86_EXTERNAL);
	ok(x86_machine_raised(m, X86_GP, IDT_ERROR + 1), "6.10 beyond the IDT");
	start(m, 3);
	cpu->tr.limit = 8;
	interrupt(m, X86_EXTERNAL);
	ok(x86_machine_raised(m, X86_TS, TSS_SELECTOR + 1), "7.2.1 SS0 beyond the TSS");
	cpu->tr.limit = 9;
	interrupt(m, X86_EXTERNAL);
	ok(!m->raised, "7.2.1 SS0 just within the TSS");
	start(m, 0);
	cpu->segment[X86_SS].limit = STACK_3 - 5;
	interrupt(m, X86_EXTERNAL);
	ok(x86_machine_raised(m, X86_SS_FAULT, 1), "SDM 2 INT: no room on the same stack");
	is(cpu->reg[X86_RSP], STACK_3, "6.5 the stack pointer is where it was");
}

/* A frame over a page that is not there: no half of it is stored. */
static void test_page_fault(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m, 0);
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

	start(m, 0);
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
	ok(!cpu->nmi_masked && !cpu->leave, "6.7.1 IRET lets NMI in");
	cpu->nmi_masked = cpu->nmi_pending = true;
	cpu->reg[X86_RSP] -= 6;
	attempt(m, x86_op_iret(cpu, &iret));
	ok(cpu->leave, "6.7.1 at once, if one waits");
	cpu->leave = cpu->nmi_pending = false;
	cpu->idtr.limit = 4 * VECTOR + 2;
	interrupt(m, X86_EXTERNAL);
	ok(m->raised && cpu->raised.vector == X86_GP, "20.1.4 real mode: beyond the table");
}

/* --- returns ---------------------------------------------------------------------------------- */

static const struct x86_operands iret_32 = {.operand_size = 4};

/* A frame for IRET on STACK_3. */
static void set_frame(struct x86_machine *m, uint16_t cs, uint32_t flags, uint16_t ss)
{
	uint32_t frame[] = {RETURN, cs, flags, STACK_3 + 0x100, ss};

	memcpy(m->ram + STACK_3, frame, sizeof frame);
	m->cpu.eflags &= ~X86_NT;
}

static void test_iret(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	uint32_t all = X86_IF | X86_IOPL_MASK | X86_DF | X86_CF | X86_ID | X86_AC;

	start(m, 0);
	set_frame(m, CODE_0, all, 0);
	attempt(m, x86_op_iret(cpu, &iret_32));
	ok(!m->raised && cpu->next_eip == RETURN && cpu->reg[X86_RSP] == STACK_3 + 12,
		"SDM 2 IRET to the same level");
	is(x86_eflags(cpu), all | X86_FLAG_ONE, "SDM 2 IRET at CPL 0 loads IF and IOPL");

	start(m, 0);
	x86_set_segment(cpu, X86_FS, &(struct x86_segment){CODE_3 | 3, 0xc0fb, 0xffffffff, 0});
	x86_set_segment(cpu, X86_GS, &(struct x86_segment){CONFORMING_0, 0xc09f, 0xffffffff, 0});
	set_frame(m, CODE_3 | 3, X86_IF, DATA_3 | 3);
	attempt(m, x86_op_iret(cpu, &iret_32));
	ok(!m->raised && cpu->cpl == 3 && cpu->reg[X86_RSP] == STACK_3 + 0x100 &&
			cpu->segment[X86_SS].selector == (DATA_3 | 3),
		"SDM 2 IRET to the outer level");
	ok(cpu->segment[X86_DS].rights == 0 && cpu->segment[X86_DS].selector == 0 &&
			cpu->segment[X86_ES].rights == 0,
		"5.8.6 the inner level's data segments become null");
	ok(cpu->segment[X86_FS].rights && cpu->segment[X86_GS].rights,
		"5.8.6 the user's and conforming ones stay");
	ok(cpu->tlb == cpu->tlbs[1], "4.6 the user's TLB");

	/* At CPL 3, IOPL 0: neither IF nor IOPL changes. */
	cpu->reg[X86_RSP] = STACK_3;
	set_frame(m, CODE_3 | 3, X86_IOPL_MASK | X86_VM, 0);
	attempt(m, x86_op_iret(cpu, &iret_32));
	is(x86_eflags(cpu), X86_FLAG_ONE | X86_IF, "SDM 2 IRET at CPL 3 leaves IF, IOPL and VM");

	/* To a 16-bit stack segment only SP is popped. */
	start(m, 0);
	x86_machine_store64(m, GDT + GATE, UINT64_C(0x0000f2000000ffff));
	set_frame(m, CODE_3 | 3, 0, GATE | 3);
	x86_machine_store(m, STACK_3 + 12, 0x12345678);
	attempt(m, x86_op_iret(cpu, &iret_32));
	is(cpu->reg[X86_RSP], (STACK_3 & 0xffff0000) | 0x5678, "SDM 2 IRET: SP of a 16-bit stack");

	start(m, 0);
	set_frame(m, CODE_0, X86_VM, 0);
	attempt(m, x86_op_iret(cpu, &iret_32));
	ok(m->raised && cpu->refused && cpu->missing == X86_MISSING_VIRTUAL_8086,
		"virtual-8086 mode is refused by name");
	cpu->refused = false;
}

struct bad_return {
	const char *name;
	unsigned cpl;
	uint16_t cs, ss;
	unsigned vector;
	uint32_t error;
};

static const struct bad_return bad_returns[] = {
	{"CS null", 0, 0, 0, X86_GP, 0},
	{"CS beyond the GDT", 0, LIMIT + 1, 0, X86_GP, LIMIT + 1},
	{"CS is data", 0, DATA_0, 0, X86_GP, DATA_0},
	{"RPL below CPL", 3, CODE_0, 0, X86_GP, CODE_0},
	{"DPL is not RPL", 0, CODE_0 | 3, 0, X86_GP, CODE_0},
	{"CS not present", 0, ABSENT_CODE_0, 0, X86_NP, ABSENT_CODE_0},
	{"EIP beyond the limit", 0, SMALL_CODE_0, 0, X86_GP, 0},
	{"SS null", 0, CODE_3 | 3, 0, X86_GP, 0},
	{"SS beyond the GDT", 0, CODE_3 | 3, LIMIT + 1, X86_GP, LIMIT + 1},
	{"RPL of SS", 0, CODE_3 | 3, DATA_3, X86_GP, DATA_3},
	{"DPL of SS", 0, CODE_3 | 3, DATA_0 | 3, X86_GP, DATA_0},
	{"SS is code", 0, CODE_3 | 3, CODE_3 | 3, X86_GP, CODE_3},
	{"SS not present", 0, CODE_1 | 1, GATE | 1, X86_SS_FAULT, GATE},
};

static void check_bad_return(struct x86_machine *m, const struct bad_return *bad, bool is_iret)
{
	static const struct x86_operands retf = {.operand_size = 4, .immediate = 4};
	struct x86_cpu *cpu = &m->cpu;

	start(m, bad->cpl);
	x86_machine_store64(m, GDT + GATE, FLAT(0x32));
	set_frame(m, bad->cs, 0, bad->ss);
	/* RETF releases one word where IRET has EFLAGS. */
	if (is_iret)
		attempt(m, x86_op_iret(cpu, &iret_32));
	else
		attempt(m, x86_op_far_return(cpu, &retf));
	ok(x86_machine_raised(m, bad->vector, bad->error) && cpu->reg[X86_RSP] == STACK_3 &&
			cpu->cpl == bad->cpl,
		"SDM 2 %s: %s", is_iret ? "IRET" : "RET far", bad->name);
}

static void test_bad_returns(struct x86_machine *m)
{
	for (unsigned i = 0; i < sizeof bad_returns / sizeof *bad_returns; i++) {
		check_bad_return(m, &bad_returns[i], true);
		check_bad_return(m, &bad_returns[i], false);
	}
}

static void test_far_return(struct x86_machine *m)
{
	static const struct x86_operands retf = {.operand_size = 4, .immediate = 4};
	struct x86_cpu *cpu = &m->cpu;

	start(m, 0);
	set_frame(m, CODE_3 | 3, 0x99999999, DATA_3 | 3);
	attempt(m, x86_op_far_return(cpu, &retf));
	ok(!m->raised && cpu->cpl == 3 && cpu->next_eip == RETURN, "SDM 2 RET far, outer level");
	is(cpu->reg[X86_RSP], STACK_3 + 0x100 + 4, "5.8.6 parameters go from both stacks");
	start(m, 0);
	set_frame(m, CODE_0, 0, 0);
	attempt(m, x86_op_far_return(cpu, &retf));
	ok(!m->raised && cpu->reg[X86_RSP] == STACK_3 + 12, "SDM 2 RET far, same level");
}

/* --- far jumps and calls ---------------------------------------------------------------------- */

static const struct x86_operands *far_to(uint16_t selector)
{
	static struct x86_operands operands;

	operands = (struct x86_operands){
		.immediate = HANDLER, .selector = selector, .operand_size = 4, .address_size = 4};
	return &operands;
}

struct jump {
	const char *name;
	unsigned cpl;
	uint16_t selector;
	unsigned vector; /* or X86_NO_VECTOR */
	uint32_t error;
};

static const struct jump jumps[] = {
	{"code", 0, CODE_0, X86_NO_VECTOR, 0},
	{"code at CPL 3", 3, CODE_3, X86_NO_VECTOR, 0},
	{"conforming code at CPL 3", 3, CONFORMING_0, X86_NO_VECTOR, 0},
	{"null", 0, 3, X86_GP, 0},
	{"beyond the GDT", 0, LIMIT + 1, X86_GP, LIMIT + 1},
	{"data", 0, DATA_0, X86_GP, DATA_0},
	{"inner code", 3, CODE_0, X86_GP, CODE_0},
	{"outer code", 0, CODE_3 | 3, X86_GP, CODE_3},
	{"RPL above CPL", 0, CODE_0 | 3, X86_GP, CODE_0},
	{"not present", 0, ABSENT_CODE_0, X86_NP, ABSENT_CODE_0},
	{"beyond the limit", 0, SMALL_CODE_0, X86_GP, 0},
};

static void check_jump(struct x86_machine *m, const struct jump *jump, bool is_call)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m, jump->cpl);
	if (is_call)
		attempt(m, x86_op_far_call(cpu, far_to(jump->selector)));
	else
		attempt(m, x86_op_far_jump(cpu, far_to(jump->selector)));
	if (jump->vector != X86_NO_VECTOR) {
		ok(x86_machine_raised(m, jump->vector, jump->error) && cpu->reg[X86_RSP] == STACK_3,
			"5.8.1 far %s: %s", is_call ? "call" : "jump", jump->name);
		return;
	}
	ok(!m->raised && cpu->next_eip == HANDLER && cpu->cpl == jump->cpl &&
			cpu->segment[X86_CS].selector == (jump->selector | jump->cpl),
		"5.8.1 far %s: %s", is_call ? "call" : "jump", jump->name);
	ok(cpu->reg[X86_RSP] == STACK_3 - (is_call ? 8 : 0) &&
			(!is_call || (on_stack(m, 0) == RETURN &&
					     on_stack(m, 1) == (jump->cpl ? CODE_3 | 3 : CODE_0))),
		"5.8.1 far %s: %s: stack", is_call ? "call" : "jump", jump->name);
}

static void test_jumps(struct x86_machine *m)
{
	for (unsigned i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		check_jump(m, &jumps[i], false);
		check_jump(m, &jumps[i], true);
	}
}

struct gate_call {
	const char *name;
	unsigned cpl;
	bool is_jump;
	uint16_t code;
	uint8_t type; /* of the gate */
	uint8_t rpl;
	unsigned vector;
	uint32_t error;
};

static const struct gate_call gate_calls[] = {
	{"same level", 0, false, CODE_0, 0x8c, 0, X86_NO_VECTOR, 0},
	{"conforming", 3, false, CONFORMING_0, 0xec, 3, X86_NO_VECTOR, 0},
	{"JMP, conforming", 3, true, CONFORMING_0, 0xec, 3, X86_NO_VECTOR, 0},
	{"JMP, same level", 0, true, CODE_0, 0x8c, 0, X86_NO_VECTOR, 0},
	{"JMP, inner level", 3, true, CODE_0, 0xec, 3, X86_GP, CODE_0},
	{"DPL below CPL", 3, false, CODE_0, 0x8c, 0, X86_GP, GATE},
	{"DPL below RPL", 0, false, CODE_0, 0x8c, 1, X86_GP, GATE},
	{"not present", 3, false, CODE_0, 0x6c, 3, X86_NP, GATE},
	{"code null", 3, false, 0, 0xec, 3, X86_GP, 0},
	{"code beyond the GDT", 3, false, LIMIT + 1, 0xec, 3, X86_GP, LIMIT + 1},
	{"data", 3, false, DATA_0, 0xec, 3, X86_GP, DATA_0},
	{"outer code", 0, false, CODE_3, 0x8c, 0, X86_GP, CODE_3},
	{"code not present", 3, false, ABSENT_CODE_0, 0xec, 3, X86_NP, ABSENT_CODE_0},
	{"beyond the limit", 3, false, SMALL_CODE_0, 0xec, 3, X86_GP, 0},
	{"an interrupt gate", 0, false, CODE_0, 0x8e, 0, X86_GP, GATE},
};

static void check_gate_call(struct x86_machine *m, const struct gate_call *call)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m, call->cpl);
	x86_machine_store64(m, GDT + GATE, make_gate(call->code, HANDLER, call->type, 0));
	if (call->is_jump)
		attempt(m, x86_op_far_jump(cpu, far_to(GATE | call->rpl)));
	else
		attempt(m, x86_op_far_call(cpu, far_to(GATE | call->rpl)));
	if (call->vector == X86_NO_VECTOR)
		ok(!m->raised && cpu->next_eip == HANDLER && cpu->cpl == call->cpl &&
				cpu->segment[X86_CS].selector == (call->code | call->cpl),
			"5.8.4 call gate: %s", call->name);
	else
		ok(x86_machine_raised(m, call->vector, call->error) && cpu->cpl == call->cpl,
			"5.8.4 call gate: %s", call->name);
}

static void test_gates(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	for (unsigned i = 0; i < sizeof gate_calls / sizeof *gate_calls; i++)
		check_gate_call(m, &gate_calls[i]);

	start(m, 3);
	x86_machine_store64(m, GDT + GATE, make_gate(CODE_0, HANDLER, 0xec, 2));
	x86_machine_store64(m, STACK_3, UINT64_C(0x2222222211111111));
	attempt(m, x86_op_far_call(cpu, far_to(GATE | 3)));
	ok(!m->raised && cpu->cpl == 0 && cpu->reg[X86_RSP] == STACK_0 - 24,
		"5.8.5 a call gate to the inner level");
	ok(on_stack(m, 0) == RETURN && on_stack(m, 1) == (CODE_3 | 3) &&
			on_stack(m, 2) == 0x11111111 && on_stack(m, 3) == 0x22222222 &&
			on_stack(m, 4) == STACK_3 && on_stack(m, 5) == (DATA_3 | 3),
		"5.8.5 EIP, CS, two parameters in order, ESP, SS");

	start(m, 3);
	x86_machine_store64(m, GDT + GATE, make_gate(CODE_0, HANDLER, 0xe4, 31));
	attempt(m, x86_op_far_call(cpu, far_to(GATE | 3)));
	ok(!m->raised && cpu->reg[X86_RSP] == STACK_0 - 2 * 35 &&
			cpu->next_eip == (HANDLER & 0xffff),
		"5.8.3 a 16-bit gate with 31 parameters");
	start(m, 3);
	x86_machine_store64(m, GDT + GATE, make_gate(CODE_0, HANDLER, 0xec, 0));
	x86_machine_store(m, TSS + 8, SMALL_DATA_0);
	attempt(m, x86_op_far_call(cpu, far_to(GATE | 3)));
	ok(x86_machine_raised(m, X86_SS_FAULT, SMALL_DATA_0), "5.8.5 no room: #SS(SS)");
}

static void test_software_interrupts(struct x86_machine *m)
{
	static const struct x86_operands int_n = {.immediate = VECTOR};
	struct x86_cpu *cpu = &m->cpu;

	start(m, 3);
	set_gate(m, VECTOR, CODE_0, 0xee);
	attempt(m, x86_op_int(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 0 && on_stack(m, 0) == RETURN, "SDM 2 INT n");
	start(m, 3);
	set_gate(m, X86_BP, CODE_0, 0x8e);
	attempt(m, x86_op_int3(cpu, &int_n));
	ok(x86_machine_raised(m, X86_GP, X86_BP * 8 + 2), "SDM 2 INT3 heeds DPL");
	start(m, 3);
	set_gate(m, X86_DB, CODE_0, 0x8e);
	attempt(m, x86_op_int1(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 0 && on_stack(m, 0) == RETURN, "SDM 2 INT1 does not");
	start(m, 3);
	set_gate(m, X86_OF_TRAP, CODE_0, 0xee);
	attempt(m, x86_op_into(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 3, "SDM 2 INTO without OF does nothing");
	x86_set_eflags(cpu, X86_OF, X86_OF);
	attempt(m, x86_op_into(cpu, &int_n));
	ok(!m->raised && cpu->cpl == 0 && on_stack(m, 0) == RETURN, "SDM 2 INTO with OF");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	test_same_level(m);
	test_inner_level(m);
	test_wrong(m);
	test_page_fault(m);
	test_real_mode(m);
	test_iret(m);
	test_bad_returns(m);
	test_far_return(m);
	test_jumps(m);
	test_gates(m);
	test_software_interrupts(m);
	x86_machine_free(m);
	return tap_done();
}
