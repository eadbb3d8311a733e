/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: configuration space. */
#include <vole/virtio_blk.h>
#include <vole/virtio_console.h>

#include "see/check_parts.h"
#include "see/check_say.h"

#define NO_QUEUE EVENT_NO_QUEUE

/* A field; feature: the one that it belongs to, with which it is there; ALWAYS: it always is. */
struct field {
	uint8_t offset, width;
	uint8_t feature;
};

#define ALWAYS 0xff

/* virtio 5.2.4; that of secure erase and zones is not told of, since vole has neither. */
static const struct field block_fields[] = {
	{0, 8, ALWAYS},
	{8, 4, VIRTIO_BLK_F_SIZE_MAX},
	{12, 4, VIRTIO_BLK_F_SEG_MAX},
	{16, 2, VIRTIO_BLK_F_GEOMETRY},
	{18, 1, VIRTIO_BLK_F_GEOMETRY},
	{19, 1, VIRTIO_BLK_F_GEOMETRY},
	{20, 4, VIRTIO_BLK_F_BLK_SIZE},
	{24, 1, VIRTIO_BLK_F_TOPOLOGY},
	{25, 1, VIRTIO_BLK_F_TOPOLOGY},
	{26, 2, VIRTIO_BLK_F_TOPOLOGY},
	{28, 4, VIRTIO_BLK_F_TOPOLOGY},
	{32, 1, VIRTIO_BLK_F_CONFIG_WCE},
	{34, 2, VIRTIO_BLK_F_MQ},
	{36, 4, VIRTIO_BLK_F_DISCARD},
	{40, 4, VIRTIO_BLK_F_DISCARD},
	{44, 4, VIRTIO_BLK_F_DISCARD},
	{48, 4, VIRTIO_BLK_F_WRITE_ZEROES},
	{52, 4, VIRTIO_BLK_F_WRITE_ZEROES},
	{56, 1, VIRTIO_BLK_F_WRITE_ZEROES},
	{0, 0, 0},
};

/* virtio 5.3.4 */
static const struct field console_fields[] = {
	{0, 2, VIRTIO_CONSOLE_F_SIZE},
	{2, 2, VIRTIO_CONSOLE_F_SIZE},
	{4, 4, VIRTIO_CONSOLE_F_MULTIPORT},
	{8, 4, VIRTIO_CONSOLE_F_EMERG_WRITE},
	{0, 0, 0},
};

/* Returns the field that holds this byte, or NULL. */
static const struct field *field_at(uint32_t id, uint32_t offset)
{
	const struct field *field;

	if (id == VIRTIO_ID_BLOCK)
		field = block_fields;
	else if (id == VIRTIO_ID_CONSOLE)
		field = console_fields;
	else
		return NULL;
	for (; field->width; field++)
		if (offset >= field->offset && offset - field->offset < field->width)
			return field;
	return NULL;
}

/* A field of 64 bits is accessed in two halves (virtio 4.2.2.2). */
static bool has_width(const struct field *field, uint32_t offset, unsigned len)
{
	if (field->width == 8)
		return len == 4 && offset % 4 == 0;
	return offset == field->offset && len == field->width;
}

static void look_at_field(struct check *check, const struct event *event, uint32_t offset)
{
	const struct virtio_event *access = event->virtio;
	const struct field *field = field_at(event->device->ops->id, offset);
	const char *verb = access->kind == VIRTIO_EVENT_READ ? "read" : "write";

	if (!field || access->len > 4)
		return; /* which the device may report */
	if (!has_width(field, offset, access->len))
		check_broken(check, event, CHECK_CONFIG_WIDTH, NO_QUEUE,
			"%s of %u byte%s at 0x%x of configuration space, where a field of %u is",
			verb, access->len, PLURAL(access->len), offset, field->width);
	if (field->feature != ALWAYS && !(event->device->features & VIRTIO_BIT(field->feature)))
		check_broken(check, event, CHECK_CONFIG_FIELD, NO_QUEUE,
			"%s of %u byte%s at 0x%x of configuration space", verb, access->len,
			PLURAL(access->len), offset);
}

/* The CPU that reads a field of 64 bits is done with it: judges how, if it has read both halves. */
static void end_halves(struct check *check, const struct event *event, bool reads_generation)
{
	struct check_session *session = &check_device(check, event)->session;

	if (session->halves == 3 && !(session->halves_are_guarded && reads_generation))
		check_broken(check, event, CHECK_CONFIG_GENERATION, NO_QUEUE,
			"a field of 64 bits was read in two halves, at %s",
			session->halves_from.text);
	session->halves = 0;
	session->generation_read = reads_generation;
}

/* Remembers which half of the field of 64 bits was read. */
static void note_half(struct check *check, const struct event *event, uint32_t offset)
{
	struct check_session *session = &check_device(check, event)->session;
	const struct field *field = field_at(event->device->ops->id, offset);
	const struct views *views = check->view.views;

	if (!field || field->width != 8)
		return;
	if (session->halves && session->halves_by != event->cpu)
		return;
	views->machine->place(views->ctx, event, &session->halves_from);
	session->halves_by = event->cpu;
	if (!session->halves)
		session->halves_are_guarded = session->generation_read;
	session->halves |= offset == field->offset ? 1 : 2;
	if (session->halves == 3 && !session->halves_are_guarded)
		end_halves(check, event, false);
}

/* Whether this is a step after which a field is not read on: handlers of interrupts, and other
 * CPUs, come between its halves and do all else. */
static bool ends_reading(const struct check_session *session, const struct event *event)
{
	const struct virtio_event *access = event->virtio;

	if (access->kind == VIRTIO_EVENT_READ)
		return access->offset == VIRTIO_MMIO_CONFIG_GENERATION &&
		       (!session->halves || session->halves_by == event->cpu);
	return access->offset == VIRTIO_MMIO_STATUS;
}

void check_config_access(struct check *check, const struct event *event)
{
	const struct virtio_event *access = event->virtio;
	bool is_read = access->kind == VIRTIO_EVENT_READ;
	uint32_t offset = access->offset - VIRTIO_MMIO_CONFIG;

	if (access->offset >= VIRTIO_MMIO_CONFIG) {
		look_at_field(check, event, offset);
		if (is_read)
			note_half(check, event, offset);
	} else if (ends_reading(&check_device(check, event)->session, event)) {
		end_halves(check, event, is_read);
	}
}
