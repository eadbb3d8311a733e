/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/hang.h"

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"
#include "machine/examine.h"
#include "machine/vm.h"
#include "machine/watch.h"

/* The look costs the guest a pause; somebody else's pause may last. */
static void look_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, hang_timer);
	struct state state;

	if (!vm_running(vm) || vm->pauses > 0)
		return;
	if (vm_pause(vm) == 0 && examine(vm, &state) == 0) {
		watch_look(vm, &state);
		examine_free(&state);
	}
	vm_resume(vm);
}

int hang_open(struct vm *vm)
{
	int ret;

	if (!vm->options->check_virtio)
		return 0;
	ret = io_timer_add(&vm->loop, &vm->hang_timer, look_ready);
	if (ret == 0)
		ret = io_timer_set(&vm->hang_timer, SECOND_NS, SECOND_NS);
	if (ret < 0)
		say("timerfd: %s", error_text(-ret));
	return ret;
}

void hang_close(struct vm *vm)
{
	file_close(&vm->hang_timer.fd);
}
