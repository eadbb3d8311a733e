/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens between blocks: exact budgets, interrupts, traps, exceptions and their faults. */
#include <string.h>

#include "x86/account.h"
#include "x86/block.h"
#include "x86/execute.h"
#include "x86/flags.h"
#include "x86/ops.h"
#include "x86/trail.h"

/* What setjmp() returns after x86_raise() and x86_abandon(). */
enum { RAISED = 1, ABANDONED };

/* Taken from the budget by x86_detour(), so that no block is entered: more than side exits of one
 * block can give back. */
#define WITHHELD_EXTRA 1024

int x86_cpu_init(struct x86_cpu *cpu, struct x86_system *system, unsigned id)
{
	int error;

	memset(cpu, 0, sizeof *cpu);
	cpu->system = system;
	cpu->id = id;
	cpu->raised.vector = cpu->delivering = X86_NO_VECTOR;
	error = x86_cache_init(cpu);
	if (error != 0)
		return error;
	x86_cpu_reset(cpu, false);
	return 0;
}

void x86_cpu_free(struct x86_cpu *cpu)
{
	x86_cache_free(cpu);
}

uint32_t x86_eflags(const struct x86_cpu *cpu)
{
	return cpu->eflags | X86_FLAG_ONE | x86_flags_get(cpu->flags_result, cpu->flags_carry);
}

void x86_set_eflags(struct x86_cpu *cpu, uint32_t value, uint32_t mask)
{
	uint32_t eflags = (x86_eflags(cpu) & ~mask) | (value & mask);

	cpu->eflags = (eflags & ~X86_ARITHMETIC) | X86_FLAG_ONE;
	if (mask & X86_ARITHMETIC)
		x86_flags_set(eflags, &cpu->flags_result, &cpu->flags_carry);
}

/* --- leaving in the middle -------------------------------------------------------------------- */

static int64_t pending(const struct x86_cpu *cpu)
{
	return cpu->insn != NULL ? x86_insn_pending(cpu->insn) : 0;
}

uint64_t x86_count(const struct x86_cpu *cpu)
{
	int64_t left = cpu->budget + cpu->withheld + pending(cpu);

	return cpu->instructions + (uint64_t)(cpu->quantum - left);
}

uint64_t x86_position(const struct x86_cpu *cpu)
{
	return cpu->insn != NULL ? x86_insn_eip(x86_current_block(cpu), cpu->insn) : cpu->eip;
}

void x86_break(struct x86_cpu *cpu)
{
	cpu->break_asked = true;
	cpu->leave = cpu->cut = true;
}

struct x86_insn *x86_detour(struct x86_cpu *cpu, const struct x86_insn *insn)
{
	struct x86_insn *detour = cpu->cache->detour;

	cpu->withheld += cpu->budget + WITHHELD_EXTRA;
	cpu->budget = -WITHHELD_EXTRA;
	if (insn != &detour[0])
		detour[0] = *insn;
	detour[1] = detour[0];
	detour[1].handler = x86_handler(X86_OP_leave_block);
	return &detour[0];
}

/* Give up the current instruction, and what follows it in its block. */
static void abandon_block(struct x86_cpu *cpu)
{
	cpu->eip = x86_position(cpu);
	cpu->budget += cpu->withheld + pending(cpu);
	cpu->withheld = 0;
	cpu->insn = NULL;
}

/* An instruction that faults counts as one, or a guest whose handler faults on its first
 * instruction would never use up its budget. */
static _Noreturn void raise(struct x86_cpu *cpu, struct x86_exception exception)
{
	abandon_block(cpu);
	if (cpu->delivering == X86_NO_VECTOR)
		cpu->budget--;
	exception.eip = cpu->eip;
	cpu->raised = exception;
	longjmp(cpu->env, RAISED);
}

void x86_raise(struct x86_cpu *cpu, unsigned vector)
{
	raise(cpu, (struct x86_exception){.vector = vector});
}

void x86_raise_code(struct x86_cpu *cpu, unsigned vector, uint32_t error)
{
	raise(cpu, (struct x86_exception){.vector = vector, .has_error = true, .error = error});
}

void x86_raise_page_fault(struct x86_cpu *cpu, uint64_t linear, uint32_t error)
{
	cpu->cr2 = linear;
	raise(cpu,
		(struct x86_exception){
			.vector = X86_PF_FAULT, .has_error = true, .error = error, .cr2 = linear});
}

void x86_abandon(struct x86_cpu *cpu)
{
	abandon_block(cpu);
	longjmp(cpu->env, ABANDONED);
}

/* --- exceptions ------------------------------------------------------------------------------- */

static bool is_contributory(unsigned vector)
{
	return vector == X86_DE || (vector >= X86_TS && vector <= X86_GP);
}

/* The exception to deliver when raised comes up while first is being delivered (SDM 3, table 6-5);
 * X86_NO_VECTOR: none, the processor shuts down. */
static unsigned combine(unsigned first, unsigned raised)
{
	bool is_serious = is_contributory(raised) || raised == X86_PF_FAULT;

	if (first == X86_DF_FAULT)
		return is_serious || raised == X86_DF_FAULT ? X86_NO_VECTOR : raised;
	if (first == X86_PF_FAULT && is_serious)
		return X86_DF_FAULT;
	if (first != X86_NO_VECTOR && is_contributory(first) && is_contributory(raised))
		return X86_DF_FAULT;
	return raised;
}

static void note_fault(struct x86_cpu *cpu)
{
	const unsigned kept = sizeof cpu->faults / sizeof cpu->faults[0];

	memmove(&cpu->faults[1], &cpu->faults[0], sizeof cpu->faults - sizeof cpu->faults[0]);
	cpu->faults[0] = cpu->raised;
	if (cpu->fault_count < kept)
		cpu->fault_count++;
}

/* More exceptions than these are not raised by one delivery, unless they go in circles: benign
 * ones, as #DB of a task with the T flag, whose gate leads to such a task again. A processor does
 * that for ever; here it is a shutdown, since x86_run() must return. */
#define NESTED_MAX 16

/* Deliver what was raised. It may raise in turn, which ends here again with cpu->delivering set.
 * False: the processor shuts down. */
static bool deliver_exception(struct x86_cpu *cpu)
{
	struct x86_exception raised = cpu->raised;
	unsigned vector = combine(cpu->delivering, raised.vector);
	uint64_t linear = x86_code_linear(cpu, cpu->eip);

	note_fault(cpu);
	cpu->nested = cpu->delivering == X86_NO_VECTOR ? 1 : cpu->nested + 1;
	if (vector == X86_NO_VECTOR || cpu->nested > NESTED_MAX)
		return false;
	if (vector != raised.vector)
		raised = (struct x86_exception){.vector = vector, .has_error = true};
	cpu->delivering = vector;
	cpu->next_eip = cpu->eip;
	x86_interrupt(cpu, vector, X86_FAULT, raised.has_error, raised.error);
	cpu->delivering = X86_NO_VECTOR;
	cpu->fault_count = 0;
	x86_trail_add(cpu, X86_TRAIL_VECTOR(vector, linear));
	x86_account_deliver(cpu, vector);
	cpu->eip = cpu->next_eip;
	return true;
}

/* Deliver what comes between instructions: an interrupt, NMI, or trap. All of them are benign,
 * whatever their vector, if another exception comes up on the way (SDM 3, tables 6-4 and 6-5). */
static void deliver_between(struct x86_cpu *cpu, unsigned vector, enum x86_interrupt_kind kind)
{
	uint64_t linear = x86_code_linear(cpu, cpu->eip);

	cpu->halted = false;
	cpu->delivering = X86_NMI;
	cpu->nested = 0;
	cpu->next_eip = cpu->eip;
	x86_interrupt(cpu, vector, kind, false, 0);
	cpu->delivering = X86_NO_VECTOR;
	x86_trail_add(cpu, X86_TRAIL_VECTOR(vector, linear));
	x86_account_deliver(cpu, vector);
	cpu->eip = cpu->next_eip;
}

static void take_interrupts(struct x86_cpu *cpu)
{
	int vector;

	if (cpu->interrupts_held)
		return;
	if (cpu->nmi_pending && !cpu->nmi_masked) {
		cpu->nmi_pending = false;
		cpu->nmi_masked = true;
		deliver_between(cpu, X86_NMI, X86_EXTERNAL);
	}
	if (!(cpu->eflags & X86_IF))
		return;
	vector = cpu->system->bus->acknowledge(cpu->system->ctx, cpu);
	if (vector >= 0)
		deliver_between(cpu, (unsigned)vector, X86_EXTERNAL);
}

/* --- the loop --------------------------------------------------------------------------------- */

/* INT n and its like clear TF, and no trap follows them (SDM 3, 18.3.1.4). */
static bool is_software_interrupt(const struct x86_block *block)
{
	bool has_account = block->code[0].handler == x86_handler(X86_OP_account);
	const struct x86_insn *insn = &block->code[has_account];
	const struct x86_operands *operands = x86_insn_operands(insn);

	return insn->handler == x86_handler(X86_OP_call_out) &&
	       (operands->function == x86_op_int || operands->function == x86_op_int3 ||
		       operands->function == x86_op_into || operands->function == x86_op_int1);
}

/* One instruction, with what belongs to it alone: TF traps behind it, RF and the interrupt shadow
 * end with it (SDM 3, 18.3.1; SDM 2, STI). */
static void step(struct x86_cpu *cpu, struct x86_block *block)
{
	bool trap = cpu->eflags & X86_TF;

	if (block->count > 1)
		block = x86_stop_block(cpu, block, 1);
	cpu->shadow = false;
	cpu->eflags &= ~X86_RF;
	/* A jump leads into another block, which is to find no budget. */
	cpu->withheld = cpu->budget - 1;
	cpu->budget = 1;
	x86_execute(cpu, block);
	if (trap && !cpu->shadow && !is_software_interrupt(block)) {
		cpu->dr[6] |= 1u << 14;
		deliver_between(cpu, X86_DB, X86_TRAP);
	}
}

static enum x86_stop run(struct x86_cpu *cpu)
{
	struct x86_block *block;

	for (;;) {
		cpu->budget += cpu->withheld;
		cpu->withheld = 0;
		cpu->leave = cpu->cut = false;
		if (cpu->break_asked || cpu->yielded)
			return X86_STOP_YIELD;
		if (cpu->budget <= 0)
			return cpu->halted ? X86_STOP_HALTED : X86_STOP_BUDGET;
		if (!cpu->shadow)
			take_interrupts(cpu);
		if (cpu->halted)
			return X86_STOP_HALTED;
		block = x86_find_block(cpu);
		if (block == cpu->cache->dead)
			return X86_STOP_DEBUG;
		if (cpu->shadow || cpu->eflags & (X86_TF | X86_RF)) {
			step(cpu, block);
			continue;
		}
		if (block->count > cpu->budget)
			block = x86_stop_block(cpu, block, (unsigned)cpu->budget);
		x86_execute(cpu, block);
	}
}

static enum x86_stop finish(struct x86_cpu *cpu, enum x86_stop stop)
{
	cpu->instructions += (uint64_t)(cpu->quantum - cpu->budget);
	cpu->quantum = cpu->budget = 0;
	return stop;
}

enum x86_stop x86_run(struct x86_cpu *cpu, int64_t budget)
{
	cpu->budget = cpu->quantum = budget;
	cpu->withheld = 0;
	cpu->system->cost = 0;
	cpu->break_asked = cpu->yielded = false;
	cpu->insn = NULL;
	cpu->delivering = X86_NO_VECTOR;
	switch (setjmp(cpu->env)) {
	case ABANDONED:
		return finish(cpu, X86_STOP_ENDED);
	case RAISED:
		if (!deliver_exception(cpu))
			return finish(cpu, X86_STOP_SHUTDOWN);
		break;
	default:
		break;
	}
	return finish(cpu, run(cpu));
}
