/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/timers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "exit_status.h"
#include "log.h"
#include "machine/vm.h"

/* How often CPUs are asked whether they have halted for good. */
#define HALTS_TICK_NS 250000000

/* A source that is ready at these times, as of io_timer_set(). 0 or -errno (said). */
static int open_timerfd(struct vm *vm, struct io_source *source,
	void (*ready)(struct io_source *source), uint64_t ns, uint64_t every_ns)
{
	int ret = io_timer_add(&vm->loop, source, ready);

	if (ret < 0)
		return ret;
	ret = io_timer_set(source, ns, every_ns);
	if (ret < 0)
		say("timerfd: %s", strerror(-ret));
	return ret;
}

static void timer_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, timer);

	/* The time is over and stays so: if the machine is ending already, its output is what
	 * drain() may have to wait for. */
	if (!vm_end(vm, EXIT_STATUS_TIMEOUT))
		return;
	vm->discard_output = true;
	/* Afterwards, since nobody may read what is said. */
	say("time-out after %u seconds", vm->options->timeout);
}

static int open_timer(struct vm *vm)
{
	if (vm->options->timeout == 0)
		return 0;
	return open_timerfd(vm, &vm->timer, timer_ready, vm->options->timeout * SECOND_NS, 0);
}

/* Whether only another CPU can wake it. */
static bool is_idle_for_good(enum cpu_activity activity)
{
	return activity == CPU_HALTED_FOR_GOOD || activity == CPU_NOT_STARTED;
}

/*
 * Without ACPI, Linux powers off by halting all CPUs with interrupts off. KVM keeps that to itself,
 * so now and then they are asked. A CPU that is asked early might be woken by one that is asked
 * late, and that halts then; so all must have halted twice.
 */
static void halts_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, halts);
	bool all = true;
	uint64_t ticks;

	if (read(source->fd, &ticks, sizeof ticks) != sizeof ticks)
		return;
	/* All are asked, since an engine may find out only when it is asked. */
	for (unsigned i = 0; i < vm->options->cpu_count; i++)
		all &= is_idle_for_good(vm->engine->ops->activity(vm->engine, i));
	vm->halts_seen = all ? vm->halts_seen + 1 : 0;
	if (vm->halts_seen == 2) {
		if (vm->options->verbose)
			say("all CPUs have halted with interrupts off");
		vm_end(vm, 0);
	}
}

static int open_halts(struct vm *vm)
{
	if (!vm->boot->protocol->board.halt_ends)
		return 0;
	return open_timerfd(vm, &vm->halts, halts_ready, HALTS_TICK_NS, HALTS_TICK_NS);
}

int timers_open(struct vm *vm)
{
	int ret = open_timer(vm);

	return ret < 0 ? ret : open_halts(vm);
}

void timers_close(struct vm *vm)
{
	if (vm->halts.fd >= 0)
		close(vm->halts.fd);
	if (vm->timer.fd >= 0)
		close(vm->timer.fd);
}
