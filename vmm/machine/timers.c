/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/timers.h"

#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"
#include "machine/vm.h"

static void timer_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, timer);

	/* The time is over and stays so: if the machine is ending already, its output is what
	 * drain() may have to wait for. */
	if (!vm_end_outside(vm, EXIT_STATUS_TIMEOUT))
		return;
	vm_discard_output(vm);
	/* Afterwards, since nobody may read what is said. */
	say("time-out after %u %s", vm->options->timeout,
		vm->options->timeout == 1 ? "second" : "seconds");
}

int timers_open(struct vm *vm)
{
	int ret;

	if (vm->options->timeout == 0)
		return 0;
	ret = io_timer_add_control(&vm->loop, &vm->timer, timer_ready);
	if (ret < 0)
		return ret;
	ret = io_timer_set(&vm->timer, vm->options->timeout * SECOND_NS, 0);
	if (ret < 0)
		say("timerfd: %s", error_text(-ret));
	return ret;
}

void timers_close(struct vm *vm)
{
	file_close(&vm->timer.fd);
}
