/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices wait for. Numbers in parentheses are clauses of virtio 1.3. */
#include <inttypes.h>

#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>

#include "see/state_parts.h"
#include "see/words.h"

#define QUEUES_SHOWN 4

static void begin_line(const struct state *state, unsigned index, struct text *text)
{
	text_add(text, "  device %u, %s", index, state->devices[index].view.name);
}

/* --- Status ----------------------------------------------------------------------------------- */

static bool is_broken(const struct virtio_view *view)
{
	return view->status & (VIRTIO_STATUS_DEVICE_NEEDS_RESET | VIRTIO_STATUS_FAILED);
}

static bool is_live(const struct virtio_view *view)
{
	return view->status & VIRTIO_STATUS_DRIVER_OK && !is_broken(view);
}

/* What the driver has to do next, so that the device works (3.1.1). */
static const char *next_step(const struct virtio_view *view)
{
	if (view->status & VIRTIO_STATUS_DEVICE_NEEDS_RESET)
		return "it has failed, as it has said, and waits for a reset (virtio 2.1.2)";
	if (view->status & VIRTIO_STATUS_FAILED)
		return "the driver has given up";
	if (!(view->status & VIRTIO_STATUS_DRIVER))
		return "DRIVER is missing (virtio 3.1.1)";
	if (!(view->status & VIRTIO_STATUS_FEATURES_OK))
		return "FEATURES_OK is missing, so that no queue can be set up (virtio 3.1.1)";
	return "DRIVER_OK is missing, so its queues are not served (virtio 3.1.1)";
}

/* --- troubles --------------------------------------------------------------------------------- */

/* The first queue with this trouble stands for all. */
static void report_unnoticed(const struct state *state, unsigned index, struct text *text)
{
	const struct virtio_view *view = &state->devices[index].view;

	for (unsigned i = 0; i < view->queue_count; i++) {
		const struct virtq_view *queue = &view->queues[i];
		bool is_one = queue->waiting == 1;

		if (!queue->unnoticed)
			continue;
		begin_line(state, index, text);
		text_line(text, ", queue %u: %u %s available and %s not notified (virtio %s)", i,
			queue->waiting, is_one ? "chain is" : "chains are", is_one ? "was" : "were",
			queue->packed ? "2.8.21.3.1" : "2.7.13.4.1");
		return;
	}
}

/* A driver that has exchanged the rings writes its index where the device writes. */
static void report_exchanged(const struct state *state, unsigned index, struct text *text)
{
	const struct virtio_view *view = &state->devices[index].view;

	for (unsigned i = 0; i < view->queue_count; i++) {
		const struct virtq_view *queue = &view->queues[i];

		if (!queue->ready || queue->packed || queue->used_seen == queue->used)
			continue;
		begin_line(state, index, text);
		text_line(text,
			", queue %u: the used ring's index at 0x%08" PRIx64
			" is %u, but the device has stored %u: are QueueDriver and QueueDevice "
			"exchanged (virtio 4.2.2)?",
			i, queue->used_at, queue->used_seen, queue->used);
		return;
	}
}

/* No queue has ever held a buffer. Returns the first that is ready, -1 if there is none, or if one
 * was used. */
static int find_unused(const struct virtio_view *view)
{
	int first = -1;

	for (unsigned i = 0; i < view->queue_count; i++) {
		const struct virtq_view *queue = &view->queues[i];

		if (!queue->ready)
			continue;
		if (queue->packed || queue->available != 0 || queue->taken != 0)
			return -1;
		first = first < 0 ? (int)i : first;
	}
	return first;
}

static void report_unused(const struct state *state, unsigned index, struct text *text)
{
	const struct virtio_view *view = &state->devices[index].view;
	int number = find_unused(view);

	if (number < 0)
		return;
	begin_line(state, index, text);
	text_line(text,
		", queue %d: nothing was ever made available: the available ring's index at "
		"0x%08" PRIx64 " is 0 (virtio 2.7.13)",
		number, view->queues[number].available_at);
}

static void report_unacknowledged(const struct state *state, unsigned index, struct text *text)
{
	const struct virtio_view *view = &state->devices[index].view;

	if (!view->interrupt_status && !view->taken_away)
		return;
	begin_line(state, index, text);
	if (view->interrupt_status)
		text_line(text,
			": nobody has acknowledged its interrupt: InterruptStatus is 0x%x (virtio "
			"4.2.3.4.1)",
			view->interrupt_status);
	else
		text_line(text, ": the acknowledgement took away a notification that came after "
				"InterruptStatus was read: look at the queue after acknowledging");
}

/* Whether all CPUs that were started have halted, and some with interrupts on. */
static bool sleeps(const struct state *state)
{
	bool some = false;

	for (unsigned id = 0; id < state->cpu_count; id++) {
		enum cpu_activity activity = state->cpus[id].state.activity;

		if (!state->cpus[id].is_known || activity == CPU_RUNNING ||
			activity == CPU_UNKNOWN || state->cpus[id].state.in_callback)
			return false;
		some |= activity == CPU_HALTED;
	}
	return some;
}

/* A driver that looks at its rings without interrupts says that it wants none, and is right. One
 * that sleeps, and for which its device has nothing left to do, may have forgotten to ask. */
static void report_unheard(const struct state *state, unsigned index, struct text *text)
{
	const struct virtio_view *view = &state->devices[index].view;
	int first = -1;

	if (!sleeps(state) || view->interrupt_status || view->taken_away)
		return;
	for (unsigned i = view->queue_count; i-- > 0;) {
		if (view->queues[i].ready && !view->queues[i].all_used)
			return;
		if (view->queues[i].unheard)
			first = (int)i;
	}
	if (first < 0)
		return;
	begin_line(state, index, text);
	text_add(text, ", queue %d: the last chain was given back without an interrupt: ", first);
	words_suppression(text, view->queues[first].packed, view->queues[first].event_idx,
		view->queues[first].suppression);
	text_line(text, " (virtio %s)", view->queues[first].packed ? "2.8.10" : "2.7.7");
}

/* Whether the driver may just be about to do what seems to be missing: it has had a queue served a
 * moment ago, and some CPU can execute the rest. */
static bool is_at_work(const struct state *state, const struct virtio_view *view)
{
	for (unsigned id = 0; id < state->cpu_count; id++) {
		enum cpu_activity activity = state->cpus[id].state.activity;

		if (activity != CPU_HALTED_FOR_GOOD && activity != CPU_NOT_STARTED)
			return view->served_lately;
	}
	return false;
}

static void report_live(const struct state *state, unsigned index, struct text *text)
{
	bool is_at_rest = !is_at_work(state, &state->devices[index].view);

	if (is_at_rest) {
		report_unused(state, index, text);
		report_unnoticed(state, index, text);
	}
	report_exchanged(state, index, text);
	if (is_at_rest) {
		report_unacknowledged(state, index, text);
		report_unheard(state, index, text);
	}
}

void state_report_troubles(const struct state *state, struct text *text)
{
	for (unsigned i = 0; i < state->device_count; i++) {
		const struct virtio_view *view = &state->devices[i].view;

		if (view->is_busy || view->at_host) {
			begin_line(state, i, text);
			text_line(text, ": at a request that the host has not finished");
		} else if (is_live(view)) {
			report_live(state, i, text);
		} else if (view->status != 0) {
			begin_line(state, i, text);
			text_add(text, ": Status ");
			words_status(text, view->status);
			text_line(text, ": %s", next_step(view));
		}
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

static void add_queue(const struct virtq_view *queue, unsigned number, struct text *text)
{
	text_add(text, "; queue %u of %" PRIu32 ": ", number, queue->size);
	if (queue->packed)
		text_add(text, "%u available, next slot to take %u, to use %u", queue->waiting,
			queue->taken, queue->used);
	else
		text_add(text, "available %u, taken %u, used %u", queue->available, queue->taken,
			queue->used);
}

static void report_in_use(const struct state *state, unsigned index, struct text *text)
{
	const struct virtio_view *view = &state->devices[index].view;
	unsigned ready = 0;

	begin_line(state, index, text);
	text_add(text, ": in use, features 0x%" PRIx64, view->accepted);
	for (unsigned i = 0; i < view->queue_count; i++) {
		if (!view->queues[i].ready)
			continue;
		if (ready < QUEUES_SHOWN)
			add_queue(&view->queues[i], i, text);
		ready++;
	}
	if (ready == 0)
		text_add(text, "; no queue is ready");
	else if (ready > QUEUES_SHOWN)
		text_add(text, "; and %u more", ready - QUEUES_SHOWN);
	text_line(text, "%s", "");
}

static bool is_untouched(const struct virtio_view *view)
{
	return view->status == 0 && !view->is_busy;
}

/* Devices that no driver has touched: "device 0 (console)" or "devices 0 (console), 1 (rng)". */
static void report_untouched(const struct state *state, struct text *text)
{
	unsigned count = 0, shown = 0;

	for (unsigned i = 0; i < state->device_count; i++)
		count += is_untouched(&state->devices[i].view);
	if (count == 0)
		return;
	text_add(text, count == 1 ? "  device" : "  devices");
	for (unsigned i = 0; i < state->device_count; i++) {
		if (!is_untouched(&state->devices[i].view))
			continue;
		text_add(text, "%s %u (%s)", shown++ == 0 ? "" : ",", i,
			state->devices[i].view.name);
	}
	text_line(text, ": no driver, Status is 0");
}

void state_report_devices(const struct state *state, struct text *text)
{
	for (unsigned i = 0; i < state->device_count; i++)
		if (is_live(&state->devices[i].view))
			report_in_use(state, i, text);
	report_untouched(state, text);
}
