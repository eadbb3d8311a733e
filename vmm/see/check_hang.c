/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The referee: something waits at a live queue, and nothing has happened at the device from one
 * look to another a second later. Time alone is no mistake, as the host may be busy, so what a
 * device was told is known (check_queue.owes_look), and each CPU must have executed code meanwhile,
 * or have halted: none is just about to do what seems to be missing.
 */
#include <string.h>

#include "see/check_parts.h"
#include "see/check_say.h"
#include "see/state.h"

/* The least time between two looks that count, since a timer is not exact, and the processor time
 * that a CPU needs to have executed some thousands of instructions. */
#define APART_NS    900000000u
#define EXECUTED_NS 50000000u

/* --- what waits ------------------------------------------------------------------------------- */

/* Returns whether the device can serve its queues, and does nothing. */
static bool is_at_rest(const struct virtio_view *view)
{
	const uint8_t broken = VIRTIO_STATUS_DEVICE_NEEDS_RESET | VIRTIO_STATUS_FAILED;

	return !view->is_busy && !view->at_host && !view->served_lately &&
	       (view->status & (VIRTIO_STATUS_DRIVER_OK | broken)) == VIRTIO_STATUS_DRIVER_OK;
}

/* Returns whether chains came after the device had found none and asked for kicks, and no kick has
 * come since. */
static bool is_kick_missing(
	const struct state_device *state, const struct check_device *device, unsigned queue)
{
	return state->view.queues[queue].unnoticed && !state->kicked[queue] &&
	       !device->queues[queue].owes_look;
}

static bool is_kicked_for_nothing(
	const struct state_device *state, const struct check_device *device, unsigned queue)
{
	const struct virtq_view *view = &state->view.queues[queue];

	return view->ready && !view->packed && view->available == 0 && view->taken == 0 &&
	       device->queues[queue].kicks > 0 && !device->queues[queue].owes_look;
}

/* Returns whether an acknowledgement took away an interrupt for chains that were given back, and
 * the driver has not looked at the used ring since. */
static bool is_taken_away(const struct check *check, const struct state_device *state,
	const struct check_device *device)
{
	if (!check->sees_stores || !state->view.taken_away)
		return false;
	for (unsigned i = 0; i < state->view.queue_count; i++) {
		const struct check_queue *queue = &device->queues[i];

		if (state->view.queues[i].ready && !state->view.queues[i].packed &&
			(int16_t)(queue->interrupted_used - queue->loaded_used) > 0)
			return true;
	}
	return false;
}

/* Returns whether an interrupt is not acknowledged, and some CPU accepts it: one that has
 * interrupts off, as Linux has after a panic and while it powers off, may not want to hear of it.
 */
static bool is_unacknowledged(const struct state_device *device, const struct state *state)
{
	const struct ioapic_pin *pin = &state->pins[device->pin].pin;
	bool is_sent = state->has_ioapic && pin->obstacle == IOAPIC_OPEN;

	if (!device->view.interrupt_status)
		return false;
	for (unsigned i = 0; i < state->cpu_count; i++) {
		const struct cpu_state *cpu = &state->cpus[i].state;

		if (is_sent && !state_pin_reaches(pin, &cpu->lapic))
			continue;
		if (cpu->interrupts_on &&
			(cpu->activity == CPU_RUNNING || cpu->activity == CPU_HALTED))
			return true;
	}
	return false;
}

/* --- whether nothing has happened ------------------------------------------------------------- */

static void begin(struct check_hang *hang, const struct event *event,
	const struct check_device *device, const struct state_device *state)
{
	*hang = (struct check_hang){
		.is_waiting = true,
		.since_ns = event->ns,
		.steps = device->steps,
		.view = state->view,
		.is_unacknowledged = is_unacknowledged(state, event->state),
	};
	for (unsigned i = 0; i < event->state->cpu_count && i < CHECK_CPUS; i++)
		hang->host_ns[i] = event->state->cpus[i].state.host_ns;
}

static bool has_moved(const struct check_hang *hang, const struct check_device *device,
	const struct virtio_view *view)
{
	if (hang->steps != device->steps)
		return true;
	for (unsigned i = 0; i < view->queue_count; i++) {
		const struct virtq_view *now = &view->queues[i], *then = &hang->view.queues[i];

		if (now->available != then->available || now->waiting != then->waiting ||
			now->taken != then->taken || now->used != then->used)
			return true;
	}
	return false;
}

static bool have_executed(const struct check_hang *hang, const struct state *state)
{
	for (unsigned i = 0; i < state->cpu_count && i < CHECK_CPUS; i++) {
		const struct cpu_state *cpu = &state->cpus[i].state;

		if (!state->cpus[i].is_known || cpu->activity == CPU_UNKNOWN)
			return false;
		if (cpu->activity == CPU_RUNNING && cpu->host_ns - hang->host_ns[i] < EXECUTED_NS)
			return false;
	}
	return true;
}

/* --- looks ------------------------------------------------------------------------------------ */

static bool has_trouble(
	const struct check *check, const struct event *event, const struct state_device *state)
{
	const struct check_device *device = &check->devices[event->number];

	if (is_unacknowledged(state, event->state) || is_taken_away(check, state, device))
		return true;
	for (unsigned i = 0; i < state->view.queue_count; i++)
		if (is_kick_missing(state, device, i) || is_kicked_for_nothing(state, device, i))
			return true;
	return false;
}

static void tell_of_queue(struct check *check, const struct event *event,
	const struct state_device *state, unsigned queue)
{
	const struct check_device *device = check_device(check, event);
	const struct virtq_view *view = &state->view.queues[queue];

	if (is_kick_missing(state, device, queue))
		check_broken(check, event, CHECK_KICK_MISSING, (int)queue, "%u chain%s available",
			view->waiting, view->waiting == 1 ? " is" : "s are");
	if (is_kicked_for_nothing(state, device, queue))
		check_broken(check, event, CHECK_KICK_EMPTY, (int)queue,
			"it was kicked, and the available ring's index at 0x%08" PRIx64 " is 0",
			view->available_at);
}

static void tell(struct check *check, const struct event *event, const struct state_device *state)
{
	const struct check_device *device = check_device(check, event);

	for (unsigned i = 0; i < state->view.queue_count; i++)
		tell_of_queue(check, event, state, i);
	if (is_taken_away(check, state, device))
		check_broken(
			check, event, CHECK_ACK_LATE, EVENT_NO_QUEUE, "the last acknowledgement");
	if (device->hang.is_unacknowledged && is_unacknowledged(state, event->state))
		check_broken(check, event, CHECK_ACK_MISSING, EVENT_NO_QUEUE,
			"InterruptStatus is 0x%x", state->view.interrupt_status);
}

static void look_at_device(
	struct check *check, const struct event *event, const struct state_device *state)
{
	const struct check_device *device = check_device(check, event);
	struct check_hang *hang = &check_device(check, event)->hang;

	if (!is_at_rest(&state->view) || !has_trouble(check, event, state))
		hang->is_waiting = false;
	else if (!hang->is_waiting || has_moved(hang, device, &state->view))
		begin(hang, event, device, state);
	else if (event->ns - hang->since_ns >= APART_NS && have_executed(hang, event->state))
		tell(check, event, state);
}

void check_hang_look(struct check *check, const struct event *event)
{
	struct event own = *event;

	for (unsigned i = 0; i < event->state->device_count; i++) {
		own.device = check->devices[i].device;
		own.number = i;
		if (own.device)
			look_at_device(check, &own, &event->state->devices[i]);
	}
}

/* --- what devices were told ------------------------------------------------------------------- */

void check_hang_step(struct check *check, const struct event *event)
{
	const struct virtio_event *step = event->virtio;
	struct check_device *device = check_device(check, event);
	struct check_queue *queue =
		step->queue == EVENT_NO_QUEUE ? NULL : &device->queues[step->queue];

	/* A driver that polls registers is waiting, so reads are no progress. */
	device->steps += step->kind != VIRTIO_EVENT_READ;
	if (!queue)
		return;
	if (step->kind == VIRTIO_EVENT_SERVE)
		queue->owes_look = false;
	else if (step->kind == VIRTIO_EVENT_SERVED)
		queue->owes_look = step->value;
	else if (step->kind == VIRTIO_EVENT_INTERRUPT)
		queue->interrupted_used = event->device->queues[step->queue].split.used_shown;
}
