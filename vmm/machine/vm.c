/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/vm.h"

#include "exit_status.h"
#include "see/stats.h"

bool vm_is_virtual(const struct vm *vm)
{
	return vm->options->clock == ENGINE_CLOCK_VIRTUAL;
}

bool vm_running(struct vm *vm)
{
	return atomic_load(&vm->status) < 0;
}

const char *vm_symbol(struct vm *vm, uint64_t address, uint32_t *offset)
{
	const char *symbol;

	if (!vm->boot->protocol->symbol)
		return NULL;
	pthread_mutex_lock(&vm->symbols);
	symbol = vm->boot->protocol->symbol(vm->boot, address, offset);
	pthread_mutex_unlock(&vm->symbols);
	return symbol;
}

uint64_t vm_cpu_instructions(struct vm *vm, unsigned cpu)
{
	const struct engine_ops *ops = vm->engine->ops;

	return ops->instructions ? ops->instructions(vm->engine, cpu) : 0;
}

uint64_t vm_instructions(struct vm *vm)
{
	uint64_t count = 0;

	for (unsigned i = 0; vm->engine && i < vm->options->cpu_count; i++)
		count += vm_cpu_instructions(vm, i);
	return count;
}

int vm_pause(struct vm *vm)
{
	vm->pauses++;
	return vm->engine->ops->pause(vm->engine);
}

void vm_resume(struct vm *vm)
{
	if (--vm->pauses == 0)
		vm->engine->ops->resume(vm->engine);
}

bool vm_end(struct vm *vm, int status)
{
	int running = -1;

	if (!atomic_compare_exchange_strong(&vm->status, &running, status))
		return false;
	if (vm->stats)
		stats_run_reach(stats_run(vm->stats), STATS_END, 0);
	io_loop_stop(&vm->loop);
	return true;
}

bool vm_end_outside(struct vm *vm, int status)
{
	if (!vm_end(vm, status))
		return false;
	atomic_store(&vm->ended_outside, true);
	return true;
}

void vm_output_lost(struct vm *vm, int status)
{
	int success = 0;

	/* Another status is that of what the guest did. */
	if (status == EXIT_STATUS_VOLE)
		vm_end_outside(vm, status);
	else
		vm_end(vm, status);
	atomic_compare_exchange_strong(&vm->status, &success, status);
}

void vm_discard_output(struct vm *vm)
{
	vm->discard_output = true;
	if (vm->last_resort.hurry >= 0)
		io_event_signal(vm->last_resort.hurry);
}

void vm_keep_output(struct vm *vm)
{
	vm->discard_output = false;
	if (vm->last_resort.hurry >= 0)
		io_event_clear(vm->last_resort.hurry);
}

void vm_quit(void *ctx)
{
	struct vm *vm = ctx;

	vm_discard_output(vm);
	vm_end_outside(vm, 0);
}
