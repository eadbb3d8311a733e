/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/timers.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "container.h"
#include "exit_status.h"
#include "log.h"
#include "machine.h"

/* How often CPUs are asked whether they have halted for good. */
#define HALTS_TICK_NS 250000000

/* A source that is ready at these times. 0 or -errno (said). */
static int open_timerfd(struct vm *vm, struct io_source *source,
	void (*ready)(struct io_source *source), const struct itimerspec *when)
{
	*source = (struct io_source){
		.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.ready = ready,
	};
	if (source->fd < 0 || timerfd_settime(source->fd, 0, when, NULL) < 0) {
		int ret = -errno;

		say("timerfd: %s", strerror(-ret));
		return ret;
	}
	return io_loop_add(&vm->loop, source, EPOLLIN);
}

static void timer_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, timer);

	if (machine_running(vm))
		say("time-out after %u seconds", vm->options->timeout);
	vm->hurry = true;
	machine_end(vm, EXIT_STATUS_TIMEOUT);
}

static int open_timer(struct vm *vm)
{
	struct itimerspec when = {.it_value.tv_sec = vm->options->timeout};

	if (vm->options->timeout == 0)
		return 0;
	return open_timerfd(vm, &vm->timer, timer_ready, &when);
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
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		all = vcpu_has_halted(&vm->vcpus[i]) && all;
	vm->halts_seen = all ? vm->halts_seen + 1 : 0;
	if (vm->halts_seen == 2) {
		if (vm->options->verbose)
			say("all CPUs have halted with interrupts off");
		machine_end(vm, 0);
		return;
	}
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_ask_halted(&vm->vcpus[i]);
}

static int open_halts(struct vm *vm)
{
	struct timespec tick = {.tv_nsec = HALTS_TICK_NS};
	struct itimerspec when = {tick, tick};

	if (!vm->boot->protocol->board.halt_ends)
		return 0;
	return open_timerfd(vm, &vm->halts, halts_ready, &when);
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
