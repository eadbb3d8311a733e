/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "error_text.h"
#include "log.h"
#include "see/check_parts.h"
#include "see/check_say.h"

/* --- events ----------------------------------------------------------------------------------- */

static void forget_device(struct check_device *device)
{
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		check_queue_forget(&device->queues[i]);
	memset(&device->session, 0, sizeof device->session);
}

/* What the driver did before the machine was saved is taken for right, as far as it is not done
 * again. */
static void excuse_device(struct check_device *device)
{
	struct check_session *session = &device->session;

	forget_device(device);
	device->identified = CHECK_READ_ALL;
	device->was_reset = true;
	*session = (struct check_session){
		.device_selected = true,
		.driver_selected = true,
		.words_read = 3,
		.status_read = true,
		.generation_read = true,
	};
	memset(session->shown, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG,
		sizeof session->shown);
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		device->queues[i].done = CHECK_DONE_SIZE_MAX | CHECK_DONE_READY | CHECK_ADDRESSES;
}

static void look_at_access(struct check *check, const struct event *event)
{
	check_config_access(check, event);
	check_status_access(check, event);
	check_setup_access(check, event);
}

static void look_at_queue_ready(struct check *check, const struct event *event)
{
	struct check_device *device = check_device(check, event);

	if (event->virtio->value) {
		check_areas_ready(check, event);
		check_ring_ready(check, event);
	} else {
		check_queue_forget(&device->queues[event->virtio->queue]);
	}
}

static void look_at_step(struct check *check, const struct event *event)
{
	const struct virtio_event *step = event->virtio;

	check_hang_step(check, event);
	switch (step->kind) {
	case VIRTIO_EVENT_READ:
	case VIRTIO_EVENT_WRITE:
		look_at_access(check, event);
		break;
	case VIRTIO_EVENT_STATUS:
		if (step->value == 0)
			forget_device(check_device(check, event));
		break;
	case VIRTIO_EVENT_QUEUE_READY:
		look_at_queue_ready(check, event);
		break;
	case VIRTIO_EVENT_RESTORED:
		excuse_device(check_device(check, event));
		break;
	case VIRTIO_EVENT_SERVE:
		check_ring_look(check, event, (unsigned)step->queue);
		break;
	case VIRTIO_EVENT_CHAIN:
		check_chain_taken(check, event);
		check_request(check, event);
		break;
	case VIRTIO_EVENT_USED:
		check_chain_used(check, event);
		break;
	case VIRTIO_EVENT_INTERRUPT:
	case VIRTIO_EVENT_NO_INTERRUPT:
	case VIRTIO_EVENT_SERVED:
		if (step->queue != EVENT_NO_QUEUE)
			check_ring_left(check, event, (unsigned)step->queue);
		break;
	case VIRTIO_EVENT_HOST_BEGIN:
	case VIRTIO_EVENT_HOST_END:
		break;
	}
}

/* Whether a device reports that it cannot use a queue: a fault of its driver, unlike others. */
static bool is_malformed(const struct event *event)
{
	const struct virtio_device *device = event->device;

	for (unsigned i = 0; i < device->queue_count; i++) {
		const char *fault = device->queues[i].fault;

		if (fault[0] && strstr(event->report->text, fault))
			return true;
	}
	return false;
}

/* The device says it itself. */
static void look_at_report(struct check *check, const struct event *event)
{
	if (event->report->rule != RULE_NONE)
		check->refused |= UINT64_C(1) << event->report->rule;
	else if (is_malformed(event))
		check->broken |= UINT64_C(1) << CHECK_MALFORMED;
	else
		return;
	check_fail(check);
}

static void check_event(struct view *view, const struct event *event)
{
	struct check *check = container_of(view, struct check, view);

	switch (event->kind) {
	case EVENT_VIRTIO:
		check_device(check, event)->device = event->device;
		look_at_step(check, event);
		break;
	case EVENT_REPORT:
		look_at_report(check, event);
		break;
	case EVENT_LOOK:
		check_hang_look(check, event);
		break;
	case EVENT_ACCESS:
		check_memory_access(check, event);
		break;
	case EVENT_EXIT:
	case EVENT_EXIT_END:
	case EVENT_MARK:
		break;
	}
}

/* --- the view --------------------------------------------------------------------------------- */

/* Counts these rules, the hints or the others, if they are watched. */
static unsigned count(const struct check *check, uint64_t rules, bool hints)
{
	unsigned number = 0;

	for (unsigned i = 0; i < CHECK_COUNT; i++)
		number += rules >> i & 1 && check_rules[i].is_hint == hints &&
			  (check->sees_stores || !check_rules[i].needs_stores);
	return number;
}

static bool check_close(struct view *view)
{
	struct check *check = container_of(view, struct check, view);
	unsigned watched = count(check, UINT64_MAX, false) + count(check, UINT64_MAX, true);
	unsigned broken = count(check, check->broken, false);
	unsigned hints = count(check, check->broken, true);

	watched += RULE_COUNT - 1;
	broken += (unsigned)__builtin_popcountll(check->refused);
	if (hints)
		say("virtio: %u rules watched, %u broken, %u hint%s", watched, broken, hints,
			PLURAL(hints));
	else
		say("virtio: %u rules watched, %u broken", watched, broken);
	for (unsigned i = 0; i < DEVICE_COUNT; i++)
		forget_device(&check->devices[i]);
	free(check);
	return true;
}

int check_open(struct views *views, bool sees_stores, bool fatal)
{
	struct check *check = calloc(1, sizeof *check);

	if (!check) {
		say("--check virtio: %s", error_text(ENOMEM));
		return -ENOMEM;
	}
	check->view = (struct view){.event = check_event, .close = check_close};
	check->sees_stores = sees_stores;
	check->fatal = fatal;
	for (unsigned i = 0; i < DEVICE_COUNT; i++)
		forget_device(&check->devices[i]);
	views_add(views, &check->view);
	return 0;
}
