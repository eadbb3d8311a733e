/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/sentence.h"

#include <inttypes.h>
#include <string.h>

#include <vole/virtio_config.h>
#include <vole/virtio_console.h>
#include <vole/virtio_mmio.h>

#include "chips/ioapic.h"
#include "mmio_register.h"
#include "report.h"
#include "see/words.h"
#include "virtio_event.h"

/* Bytes of a report that are shown. */
#define REPORT_MAX 1000

/* --- registers -------------------------------------------------------------------------------- */

static void say_access(struct text *text, const struct record *record)
{
	const struct record_access *access = &record->access;
	struct virtio_event event = {
		.kind = record->kind == CAPTURE_READ ? VIRTIO_EVENT_READ : VIRTIO_EVENT_WRITE,
		.value = access->value,
		.offset = access->offset,
		.selected = access->selected,
		.len = access->len < 8 ? access->len : 8,
	};

	if (access->offset < VIRTIO_MMIO_CONFIG)
		event.reg = mmio_registers[access->offset / 4].name;
	if (record_is_kick(record))
		text_add(text, "The driver kicks queue %" PRIu64 ": it writes ",
			access->value & 0xffff);
	else
		text_add(text, "The driver %s ", record->kind == CAPTURE_READ ? "reads" : "writes");
	words_access(text, record->device_id, &event);
}

/* --- chains ----------------------------------------------------------------------------------- */

void sentence_request(
	struct text *text, const struct record *record, const struct story_device *device)
{
	const struct record_chain *chain = &record->taken;
	struct request_words request = {
		.device = record->device_id,
		.queue = record->queue,
		.is_multiport = device->features & 1u << VIRTIO_CONSOLE_F_MULTIPORT,
		.readable_len = chain->readable_len,
		.writable_len = chain->writable_len,
	};
	size_t len = chain->payload.len;

	request.header_len = len < sizeof request.header ? len : sizeof request.header;
	memcpy(request.header, chain->payload.at, request.header_len);
	words_request(text, &request);
}

static void say_chain(
	struct text *text, const struct record *record, const struct story_device *device)
{
	text_add(text, "The device takes chain %u, ", record->taken.id);
	sentence_request(text, record, device);
	text_add(text, ", in %u buffer%s", record->taken.count, PLURAL(record->taken.count));
}

const char *sentence_result(const struct record *record)
{
	const struct record_used *used = &record->used;

	if (record->device_id != VIRTIO_ID_BLOCK || used->payload.len == 0 ||
		used->payload.len != used->shown)
		return NULL;
	return words_block_status(used->payload.at[used->payload.len - 1]);
}

static void say_used(struct text *text, const struct record *record)
{
	const char *result = sentence_result(record);

	text_add(text, "The device has used chain %u: %" PRIu32 " byte%s written", record->used.id,
		record->used.len, PLURAL(record->used.len));
	if (result)
		text_add(text, ", %s", result);
}

/* --- interrupts ------------------------------------------------------------------------------- */

static void say_interrupt(struct text *text, const struct record_interrupt *interrupt)
{
	text_add(text, "The device interrupts, %s: pin %" PRIu32,
		interrupt->bit & VIRTIO_MMIO_INT_VRING ? "used buffer" : "configuration change",
		interrupt->pin);
	switch (interrupt->obstacle) {
	case IOAPIC_OPEN:
		if (interrupt->vector != CAPTURE_NOT_KNOWN)
			text_add(text, ", vector 0x%02" PRIx32 " to CPU %" PRIu32,
				interrupt->vector, interrupt->destination);
		break;
	case IOAPIC_MASKED:
		text_add(text, ", which is masked: it is lost");
		break;
	case IOAPIC_VECTOR:
		text_add(text, ", whose vector is below 0x10: it is lost");
		break;
	default:
		text_add(text, ", whose delivery mode this machine has not: it is lost");
		break;
	}
}

static void say_no_interrupt(struct text *text, const struct record *record)
{
	uint32_t word = record->suppression;

	text_add(text, "The device does not interrupt: ");
	if (!(record->flags & CAPTURE_FLAG_PACKED))
		text_add(text, "%s %" PRIu32,
			record->flags & CAPTURE_FLAG_EVENT_IDX ? "used_event is"
							       : "the available ring's flags are",
			word);
	else if ((word >> 16 & 3) == VIRTQ_EVENT_DISABLE)
		text_add(text, "the driver has disabled interrupts");
	else
		text_add(text, "the driver asked for descriptor %" PRIu32 ", wrap counter %" PRIu32,
			word & 0x7fff, word >> 15 & 1);
}

/* --- all -------------------------------------------------------------------------------------- */

static void say_ready(struct text *text, const struct record *record)
{
	if (record->ready.size == 0)
		text_add(text, "Queue %u is stopped", record->queue);
	else
		text_add(text, "Queue %u is ready: %s, %" PRIu32 " entr%s", record->queue,
			record->flags & CAPTURE_FLAG_PACKED ? "packed" : "split",
			record->ready.size, record->ready.size == 1 ? "y" : "ies");
}

void sentence(struct text *text, const struct record *record, const struct story_device *device)
{
	switch (record->kind) {
	case CAPTURE_READ:
	case CAPTURE_WRITE:
		say_access(text, record);
		break;
	case CAPTURE_STATUS:
		text_add(text, "Status is now ");
		words_status(text, record->status.now);
		break;
	case CAPTURE_QUEUE_READY:
		say_ready(text, record);
		break;
	case CAPTURE_SERVE:
		text_add(text, "The device looks at queue %u", record->queue);
		break;
	case CAPTURE_CHAIN:
		say_chain(text, record, device);
		break;
	case CAPTURE_USED:
		say_used(text, record);
		break;
	case CAPTURE_INTERRUPT:
		say_interrupt(text, &record->interrupt);
		break;
	case CAPTURE_NO_INTERRUPT:
		say_no_interrupt(text, record);
		break;
	case CAPTURE_HOST_BEGIN:
		text_add(text, "The host begins to work");
		break;
	case CAPTURE_HOST_END:
		text_add(text, "The host has returned");
		break;
	case CAPTURE_REPORT:
		text_add(text, "vole says: %.*s",
			(int)(record->report.len < REPORT_MAX ? record->report.len : REPORT_MAX),
			(const char *)record->report.at);
		break;
	case CAPTURE_MARK:
		text_add(text, "The kernel marks this moment: 0x%" PRIx32, record->mark);
		break;
	case CAPTURE_NAME:
	case CAPTURE_RING:
	case CAPTURE_STORE:
		break;
	}
}
