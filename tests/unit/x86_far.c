/* SPDX-License-Identifier: BSD-2-Clause */
/* Far transfers and returns in the software CPU. Clauses: SDM 3, unless they say SDM 2. */
#include <string.h>

#include "../tap.h"
#include "../x86_levels.h"

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

	x86_start_at(m, 0);
	set_frame(m, CODE_0, all, 0);
	attempt(m, x86_op_iret(cpu, &iret_32));
	ok(!m->raised && cpu->next_eip == RETURN && cpu->reg[X86_RSP] == STACK_3 + 12,
		"SDM 2 IRET to the same level");
	is(x86_eflags(cpu), all | X86_FLAG_ONE, "SDM 2 IRET at CPL 0 loads IF and IOPL");

	x86_start_at(m, 0);
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
	x86_start_at(m, 0);
	x86_machine_store64(m, GDT + GATE, UINT64_C(0x0000f2000000ffff));
	set_frame(m, CODE_3 | 3, 0, GATE | 3);
	x86_machine_store(m, STACK_3 + 12, 0x12345678);
	attempt(m, x86_op_iret(cpu, &iret_32));
	is(cpu->reg[X86_RSP], (STACK_3 & 0xffff0000) | 0x5678, "SDM 2 IRET: SP of a 16-bit stack");

	x86_start_at(m, 0);
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

	x86_start_at(m, bad->cpl);
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

	x86_start_at(m, 0);
	set_frame(m, CODE_3 | 3, 0x99999999, DATA_3 | 3);
	attempt(m, x86_op_far_return(cpu, &retf));
	ok(!m->raised && cpu->cpl == 3 && cpu->next_eip == RETURN, "SDM 2 RET far, outer level");
	is(cpu->reg[X86_RSP], STACK_3 + 0x100 + 4, "5.8.6 parameters go from both stacks");
	x86_start_at(m, 0);
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

	x86_start_at(m, jump->cpl);
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
			(!is_call ||
				(x86_on_stack(m, 0) == RETURN &&
					x86_on_stack(m, 1) == (jump->cpl ? CODE_3 | 3 : CODE_0))),
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

	x86_start_at(m, call->cpl);
	x86_machine_store64(m, GDT + GATE, x86_make_gate(call->code, HANDLER, call->type, 0));
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

	x86_start_at(m, 3);
	x86_machine_store64(m, GDT + GATE, x86_make_gate(CODE_0, HANDLER, 0xec, 2));
	x86_machine_store64(m, STACK_3, UINT64_C(0x2222222211111111));
	attempt(m, x86_op_far_call(cpu, far_to(GATE | 3)));
	ok(!m->raised && cpu->cpl == 0 && cpu->reg[X86_RSP] == STACK_0 - 24,
		"5.8.5 a call gate to the inner level");
	ok(x86_on_stack(m, 0) == RETURN && x86_on_stack(m, 1) == (CODE_3 | 3) &&
			x86_on_stack(m, 2) == 0x11111111 && x86_on_stack(m, 3) == 0x22222222 &&
			x86_on_stack(m, 4) == STACK_3 && x86_on_stack(m, 5) == (DATA_3 | 3),
		"5.8.5 EIP, CS, two parameters in order, ESP, SS");

	x86_start_at(m, 3);
	x86_machine_store64(m, GDT + GATE, x86_make_gate(CODE_0, HANDLER, 0xe4, 31));
	attempt(m, x86_op_far_call(cpu, far_to(GATE | 3)));
	ok(!m->raised && cpu->reg[X86_RSP] == STACK_0 - 2 * 35 &&
			cpu->next_eip == (HANDLER & 0xffff),
		"5.8.3 a 16-bit gate with 31 parameters");
	x86_start_at(m, 3);
	x86_machine_store64(m, GDT + GATE, x86_make_gate(CODE_0, HANDLER, 0xec, 0));
	x86_machine_store(m, TSS + 8, SMALL_DATA_0);
	attempt(m, x86_op_far_call(cpu, far_to(GATE | 3)));
	ok(x86_machine_raised(m, X86_SS_FAULT, SMALL_DATA_0), "5.8.5 no room: #SS(SS)");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	test_iret(m);
	test_bad_returns(m);
	test_far_return(m);
	test_jumps(m);
	test_gates(m);
	x86_machine_free(m);
	return tap_done();
}
