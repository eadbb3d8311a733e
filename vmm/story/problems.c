/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/problems.h"

#include <inttypes.h>

#include "report.h"

static const char *are(uint64_t count)
{
	return count == 1 ? "is" : "are";
}

/* Adds which bound the first record that was left out for one is beyond. */
static void add_beyond(struct text *text, const struct overview *o)
{
	const struct story_beyond *first = &o->first_beyond;

	text_add(text, "%" PRIu64 " record%s %s left out, the first of ", o->beyond,
		PLURAL(o->beyond), are(o->beyond));
	switch (first->bound) {
	case BOUND_SIZE:
		text_line(text,
			"queue %u of device %u, whose %" PRIu32
			" entries are more than the %d that a queue can have (virtio 2.7, 2.8)",
			first->queue, first->device, first->size, STORY_QUEUE_SIZE_MAX);
		break;
	case BOUND_QUEUE:
		text_line(text, "queue %u of device %u: a page shows queues 0 to %d of a device",
			first->queue, first->device, VIRTIO_QUEUES_MAX - 1);
		break;
	default:
		text_line(text, "device %u: a page shows devices 0 to %d", first->device,
			DEVICE_COUNT - 1);
		break;
	}
}

void problems_add(struct text *text, const struct overview *o)
{
	if (o->problem[0])
		text_line(text, "%s; this is what comes before", o->problem);
	if (o->damaged > 0)
		text_line(text, "%" PRIu64 " record%s %s damaged and left out", o->damaged,
			PLURAL(o->damaged), are(o->damaged));
	if (o->beyond > 0)
		add_beyond(text, o);
	if (o->later > 0)
		text_line(text,
			"%" PRIu64 " record%s %s of a version or kind that this vole does not know",
			o->later, PLURAL(o->later), are(o->later));
	if (o->foreign > 0)
		text_line(text, "%" PRIu64 " packet%s %s no record%s of vole's", o->foreign,
			PLURAL(o->foreign), are(o->foreign), PLURAL(o->foreign));
	if (o->lost > 0)
		text_line(text,
			"%" PRIu64 " record%s %s lacking: the capture's reader was too slow for "
			"them, and the rings may be shown as they never were",
			o->lost, PLURAL(o->lost), are(o->lost));
	if (o->chosen > o->shown)
		text_line(text,
			"%" PRIu64 " of %" PRIu64 " steps, up to %" PRIu64 "; --from %" PRIu64
			" shows what comes then, and --device, --queue and --chain show less",
			o->shown, o->chosen, o->last, o->last + 1);
}
