/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/measure.h"

#include "exit_status.h"

void measure_moment(struct vm *vm, enum stats_moment moment)
{
	struct stats_run *run = stats_run(vm->stats);

	if (stats_run_awaits(run, moment))
		stats_run_reach(run, moment, stats_moment_counts(moment) ? vm_instructions(vm) : 0);
}

static void add_counter(
	void *ctx, int cpu, const char *name, const uint64_t *values, unsigned count)
{
	stats_add_counter(ctx, cpu, name, values, count);
}

void measure_collect(struct vm *vm)
{
	const struct engine_ops *ops = vm->engine->ops;

	if (!vm->stats)
		return;
	for (unsigned i = 0; i < vm->options->cpu_count; i++)
		stats_set_instructions(vm->stats, i, vm_cpu_instructions(vm, i));
	if (ops->counters)
		ops->counters(vm->engine, add_counter, vm->stats);
}

void measure_tell(struct vm *vm)
{
	const struct options *options = vm->options;
	struct stats_run *run;
	int status;

	if (!vm->stats)
		return;
	run = stats_run(vm->stats);
	stats_run_end(run);
	run->kernel = options->kernel;
	run->cmdline = options->cmdline;
	run->engine = vm->engine_ops ? vm->engine_ops->name : "none";
	run->clock = vm_is_virtual(vm) ? "virtual" : "host";
	run->cpu_count = options->cpu_count;
	run->memory_size = options->memory_size;
	status = atomic_load(&vm->status);
	run->status = status < 0 ? EXIT_STATUS_VOLE : status; /* it has not begun to run */
	if (!stats_tell(vm->stats))
		vm->stats = NULL; /* the thread that writes the file still uses it */
}

void measure_free(struct vm *vm)
{
	stats_free(vm->stats);
	vm->stats = NULL;
}
