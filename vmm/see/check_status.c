/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: Status, features and interrupts. */
#include <inttypes.h>

#include "see/check_parts.h"
#include "see/check_say.h"

#define NO_QUEUE EVENT_NO_QUEUE

/* --- Status ----------------------------------------------------------------------------------- */

/* In the order in which a driver sets them (virtio 3.1.1). DRIVER_OK without FEATURES_OK is what
 * devices refuse. */
static bool has_order(uint8_t status)
{
	if (status & VIRTIO_STATUS_DRIVER && !(status & VIRTIO_STATUS_ACKNOWLEDGE))
		return false;
	return !(status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)) ||
	       status & VIRTIO_STATUS_DRIVER;
}

/* The features are what they are from here on. */
static void look_at_features(struct check *check, const struct event *event)
{
	const struct check_device *device = check_device(check, event);
	uint64_t accepted = event->device->driver_features;

	for (unsigned word = 0; word < 2; word++) {
		uint32_t bits = (uint32_t)(accepted >> 32 * word);

		if (bits && !(device->session.words_read & 1u << word))
			check_broken(check, event, CHECK_FEATURES_READ, NO_QUEUE,
				"features 0x%x of word %u", bits, word);
	}
}

static void status_written(struct check *check, const struct event *event)
{
	struct check_device *device = check_device(check, event);
	uint8_t before = event->device->status, value = (uint8_t)event->virtio->value;
	uint8_t gained = value & ~before;

	if (value == 0) {
		device->was_reset = true;
		return;
	}
	if (device->identified != CHECK_READ_ALL)
		check_broken(check, event, CHECK_IDENTIFY, NO_QUEUE, "Status 0x%x", value);
	if (!device->was_reset)
		check_broken(check, event, CHECK_RESET_FIRST, NO_QUEUE, "Status 0x%x", value);
	if (gained && !has_order(value | before) && !(value & VIRTIO_STATUS_FAILED))
		check_broken(check, event, CHECK_STATUS_ORDER, NO_QUEUE, "Status 0x%x", value);
	if (gained & VIRTIO_STATUS_FEATURES_OK) {
		look_at_features(check, event);
		device->session.owes_read_back = true;
	}
	if (gained & VIRTIO_STATUS_DRIVER_OK && device->session.owes_read_back)
		check_broken(
			check, event, CHECK_FEATURES_READ_BACK, NO_QUEUE, "Status 0x%x", value);
}

/* --- interrupts ------------------------------------------------------------------------------- */

static uint8_t *shown_to(struct check_device *device, int cpu)
{
	return &device->session.shown[cpu < CHECK_CPUS ? cpu : CHECK_CPUS - 1];
}

/* Another CPU than the one that read InterruptStatus may acknowledge. */
static uint8_t shown_to_any(const struct check_device *device)
{
	uint8_t shown = 0;

	for (unsigned i = 0; i < CHECK_CPUS; i++)
		shown |= device->session.shown[i];
	return shown;
}

static void acknowledged(struct check *check, const struct event *event)
{
	struct check_device *device = check_device(check, event);
	uint8_t *own = shown_to(device, event->cpu);
	uint8_t bits = event->virtio->value & (VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	uint8_t unseen = bits & ~shown_to_any(device);

	if (unseen && !device->session.status_read)
		check_broken(check, event, CHECK_ACK_UNREAD, NO_QUEUE, "InterruptACK 0x%x", bits);
	else if (unseen)
		check_broken(check, event, CHECK_ACK_UNSEEN, NO_QUEUE,
			"InterruptACK 0x%x with 0x%x", bits, unseen);
	if (*own) {
		*own &= ~bits;
	} else {
		for (unsigned i = 0; i < CHECK_CPUS; i++)
			device->session.shown[i] &= ~bits;
	}
	device->session.status_read = shown_to_any(device) != 0;
}

/* --- accesses --------------------------------------------------------------------------------- */

static void register_read(struct check *check, const struct event *event)
{
	struct check_device *device = check_device(check, event);
	const struct virtio_event *access = event->virtio;

	switch (access->offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		device->identified |= CHECK_READ_MAGIC;
		break;
	case VIRTIO_MMIO_VERSION:
		device->identified |= CHECK_READ_VERSION;
		break;
	case VIRTIO_MMIO_DEVICE_ID:
		device->identified |= CHECK_READ_ID;
		break;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		if (!device->session.device_selected)
			check_broken(check, event, CHECK_FEATURES_SELECT, NO_QUEUE,
				"DeviceFeatures was read");
		if (access->selected < 2)
			device->session.words_read |= 1u << access->selected;
		break;
	case VIRTIO_MMIO_STATUS:
		device->session.owes_read_back = false;
		break;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		*shown_to(device, event->cpu) |= (uint8_t)access->value;
		device->session.status_read = true;
		break;
	default:
		break;
	}
}

static void register_written(struct check *check, const struct event *event)
{
	struct check_device *device = check_device(check, event);
	const struct virtio_event *access = event->virtio;

	switch (access->offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		device->session.device_selected = true;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		device->session.driver_selected = true;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		if (!device->session.driver_selected)
			check_broken(check, event, CHECK_FEATURES_SELECT, NO_QUEUE,
				"DriverFeatures 0x%" PRIx64, access->value);
		break;
	case VIRTIO_MMIO_STATUS:
		status_written(check, event);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		acknowledged(check, event);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
	case VIRTIO_MMIO_QUEUE_SIZE:
	case VIRTIO_MMIO_QUEUE_READY:
	case VIRTIO_MMIO_QUEUE_DESC_LOW ... VIRTIO_MMIO_QUEUE_DEVICE_HIGH:
		if (device->session.owes_read_back)
			check_broken(check, event, CHECK_FEATURES_READ_BACK, NO_QUEUE,
				"%s %" PRIu64, access->reg ? access->reg : "a register of a queue",
				access->value);
		break;
	default:
		break;
	}
}

void check_status_access(struct check *check, const struct event *event)
{
	const struct virtio_event *access = event->virtio;

	if (access->offset % 4 != 0 || access->len != 4)
		return;
	if (access->kind == VIRTIO_EVENT_READ)
		register_read(check, event);
	else
		register_written(check, event);
}
