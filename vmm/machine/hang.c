/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/hang.h"

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"
#include "machine/examine.h"
#include "machine/vm.h"
#include "machine/watch.h"

static bool is_unused(const struct virtq_view *queue)
{
	return queue->ready && !queue->packed && queue->available == 0 && queue->taken == 0;
}

/* Returns whether something may wait at a device, which has CPUs be asked what they do. */
static bool is_suspect(const struct virtio_view *view)
{
	bool suspect = view->interrupt_status != 0 || view->taken_away;

	for (unsigned i = 0; i < view->queue_count; i++)
		suspect |= view->queues[i].unnoticed || is_unused(&view->queues[i]);
	return suspect;
}

static bool has_suspect(const struct state *state)
{
	for (unsigned i = 0; i < state->device_count; i++)
		if (is_suspect(&state->devices[i].view))
			return true;
	return false;
}

/* To know what its CPUs do, the machine has to pause. */
static void look(struct vm *vm)
{
	struct state state = {0};

	if (!vm_running(vm) || vm->pauses > 0)
		return;
	examine_queues(vm, &state);
	if (has_suspect(&state)) {
		if (vm_pause(vm) < 0 || examine_activity(vm, &state) < 0)
			state.device_count = 0; /* nobody knows */
		vm_resume(vm);
	}
	watch_look(vm, &state);
	examine_free(&state);
}

static void look_ready(struct io_source *source)
{
	io_event_clear(source->fd);
	look(container_of(source, struct vm, hang.timer));
}

void hang_tick(struct vm *vm)
{
	uint64_t now;

	if (!vm->options->check_virtio)
		return;
	now = vm->engine->ops->now(vm->engine);
	if (now < vm->hang.next_ns)
		return;
	vm->hang.next_ns = now + SECOND_NS;
	look(vm);
}

int hang_open(struct vm *vm)
{
	int ret;

	if (!vm->options->check_virtio || vm_is_virtual(vm))
		return 0;
	ret = io_timer_add(&vm->loop, &vm->hang.timer, look_ready);
	if (ret < 0)
		return ret;
	ret = io_timer_set(&vm->hang.timer, SECOND_NS, SECOND_NS);
	if (ret < 0)
		say("timerfd: %s", error_text(-ret));
	return ret;
}

void hang_close(struct vm *vm)
{
	file_close(&vm->hang.timer.fd);
}
