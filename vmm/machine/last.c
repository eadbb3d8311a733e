/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/last.h"

#include <inttypes.h>
#include <stdio.h>

#include "cpu/place.h"
#include "exit_status.h"
#include "log.h"
#include "machine/vm.h"

/* Instructions of the stub that reports an exception for a kernel without an IDT of its own: they
 * come after what the user wants to see. */
#define STUB_STEPS 2

unsigned last_kept(const struct options *options)
{
	return options->last > 0 ? options->last + STUB_STEPS : 0;
}

/* Whether a CPU has; otherwise all of them have halted, or time is over. */
static bool has_crashed(struct vm *vm)
{
	return atomic_load(&vm->status) == EXIT_STATUS_CRASH && !vm->halts.found;
}

/* What was executed after the instruction that a crash is about, to report its exception, is of no
 * interest. Returns how many steps remain. */
static unsigned cut_report(const struct vm *vm, const struct cpu_step *steps, unsigned count)
{
	const struct cpu_registers *r = &vm->crash.registers;

	for (unsigned i = count; vm->crash.is_known && i > 0; i--)
		if (steps[i - 1].vector >= 0)
			return steps[i - 1].address == r->cs.base + r->rip ? i : count;
	return count;
}

static void say_step(struct cpu *cpu, const struct cpu_step *step)
{
	char bytes[3 * CPU_STEP_BYTES + 1] = "";
	struct place place = place_of(cpu, step->address);

	if (step->vector >= 0) {
		say("    interrupted by 0x%x", (unsigned)step->vector);
		return;
	}
	for (unsigned i = 0; i < step->len; i++)
		snprintf(bytes + 3 * i, 4, " %02x", step->bytes[i]);
	say("  %s%s%s", place.text, step->len > 0 ? ":" : "", bytes);
}

/* The instruction that a crash is about is missing if it has not been completed, as where an access
 * was refused. */
static void say_abandoned(const struct vm *vm, struct cpu *cpu, const struct cpu_step *last)
{
	uint64_t address = vm->crash.registers.cs.base + vm->crash.registers.rip;

	if (vm->crash.is_known && last->vector < 0 && last->address != address)
		say("  %s: not completed", place_of(cpu, address).text);
}

static void say_cpu(struct vm *vm, unsigned id)
{
	struct cpu *cpu = vm->engine->ops->cpu(vm->engine, id);
	const struct cpu_step *steps;
	unsigned count = vm->engine->ops->last(vm->engine, id, &steps);
	unsigned wanted = vm->options->last;

	if (count == 0)
		return;
	if (has_crashed(vm))
		count = cut_report(vm, steps, count);
	say("last instructions of CPU %u:", id);
	for (unsigned i = count > wanted ? count - wanted : 0; i < count; i++)
		say_step(cpu, &steps[i]);
	if (has_crashed(vm) && count > 0)
		say_abandoned(vm, cpu, &steps[count - 1]);
}

void last_say(struct vm *vm)
{
	if (vm->options->last == 0)
		return;
	for (unsigned i = 0; i < vm->options->cpu_count; i++)
		if (!has_crashed(vm) || i == vm->crash.cpu)
			say_cpu(vm, i);
}
