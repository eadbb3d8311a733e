/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmio_register.h"

#include <inttypes.h>

#define BROKEN (VIRTIO_STATUS_DEVICE_NEEDS_RESET | VIRTIO_STATUS_FAILED)

void mmio_write_mistake(const struct mmio_access *access, enum virtio_rule rule)
{
	mmio_mistake(access, rule, access->value < 10 ? "%s %" PRIu64 ":" : "%s 0x%" PRIx64 ":",
		access->reg->name, access->value);
}

/* --- what registers do ------------------------------------------------------------------------ */

static uint32_t read_constant(const struct mmio_access *access)
{
	return access->reg->constant;
}

static void write_selector(const struct mmio_access *access)
{
	uint32_t *selector = (uint32_t *)((char *)access->mmio + access->reg->field);

	*selector = access->value;
}

/* There is no shared memory, whichever region is asked for (virtio 4.2.2). */
static void write_shm_sel(const struct mmio_access *access)
{
	(void)access;
}

static uint32_t read_device_id(const struct mmio_access *access)
{
	return access->dev->ops->id;
}

/* A selector is any number. Words without features read 0 and forget what is written. */
static uint32_t read_device_features(const struct mmio_access *access)
{
	uint32_t word = access->mmio->device_features_sel;

	return word < 2 ? access->dev->features >> (32 * word) : 0;
}

static void write_driver_features(const struct mmio_access *access)
{
	uint32_t word = access->mmio->driver_features_sel;
	uint64_t *features = &access->dev->driver_features;

	if (word < 2) {
		*features &= ~((uint64_t)UINT32_MAX << (32 * word));
		*features |= access->value << (32 * word);
	} else if (access->value != 0) {
		mmio_mistake(access, RULE_FEATURE_WORD,
			"DriverFeatures 0x%" PRIx64 " with DriverFeaturesSel %" PRIu32 ":",
			access->value, word);
	}
}

/* The queue that QueueSel chose, or NULL if there is none. */
static struct virtq *selected_queue(const struct mmio_access *access)
{
	uint32_t queue = access->mmio->queue_sel;

	return queue < virtio_queue_count(access->dev) ? &access->dev->queues[queue] : NULL;
}

/* Returns the queue that QueueSel chose, for a write to one of its registers, or NULL if there is
 * none. */
static struct virtq *written_queue(const struct mmio_access *access)
{
	struct virtq *vq = selected_queue(access);

	if (!vq)
		mmio_mistake(access, RULE_QUEUE, "%s 0x%" PRIx64 " with QueueSel %" PRIu32 ":",
			access->reg->name, access->value, access->mmio->queue_sel);
	return vq;
}

/* The same, if its size and addresses may be written: they are fixed while the queue is on
 * (virtio 4.2.2.2). */
static struct virtq *settable_queue(const struct mmio_access *access)
{
	struct virtq *vq = written_queue(access);

	if (!vq || !vq->ready)
		return vq;
	mmio_write_mistake(access, RULE_QUEUE_FIXED);
	return NULL;
}

static uint32_t read_queue_size_max(const struct mmio_access *access)
{
	return selected_queue(access) ? virtio_queue_size_max(access->dev, access->mmio->queue_sel)
				      : 0;
}

static void write_queue_size(const struct mmio_access *access)
{
	struct virtq *vq = settable_queue(access);

	if (vq)
		vq->size = access->value;
}

static void write_queue_address(const struct mmio_access *access)
{
	const struct mmio_register *reg = access->reg;
	struct virtq *vq = settable_queue(access);
	gpa_t *address;

	if (!vq)
		return;
	address = (gpa_t *)((char *)vq + reg->field);
	*address &= ~((uint64_t)UINT32_MAX << reg->shift);
	*address |= access->value << reg->shift;
}

static uint32_t read_queue_ready(const struct mmio_access *access)
{
	const struct virtq *vq = selected_queue(access);

	return vq && vq->ready;
}

static void write_queue_ready(const struct mmio_access *access)
{
	bool ready = access->value == 1;

	if (!written_queue(access))
		return;
	if (access->value > 1)
		mmio_write_mistake(access, RULE_VALUE);
	else if (ready && access->dev->status & VIRTIO_STATUS_FAILED)
		mmio_write_mistake(access, RULE_FAILED);
	else if (!ready || !(access->dev->status & BROKEN))
		virtio_set_queue_ready(access->dev, access->mmio->queue_sel, ready);
}

/* Done when the write returns: no read ever finds a reset under way. */
static void write_queue_reset(const struct mmio_access *access)
{
	if (!written_queue(access))
		return;
	if (access->value != 1)
		mmio_write_mistake(access, RULE_VALUE);
	else if (!virtio_has_feature(access->dev, VIRTIO_F_RING_RESET))
		mmio_write_mistake(access, RULE_QUEUE_RESET);
	else
		virtio_reset_queue(access->dev, access->mmio->queue_sel);
}

static void write_queue_notify(const struct mmio_access *access)
{
	uint32_t queue = (uint32_t)access->value;

	/* The upper half then says how far the driver is (virtio 2.9), which the ring says too. */
	if (virtio_has_feature(access->dev, VIRTIO_F_NOTIFICATION_DATA))
		queue &= 0xffff;
	if (queue >= virtio_queue_count(access->dev))
		mmio_write_mistake(access, RULE_NOTIFY_QUEUE);
	else if (!access->dev->queues[queue].ready)
		mmio_write_mistake(access, RULE_NOTIFY_READY);
	else
		virtio_kick(access->dev, queue);
}

static uint32_t read_interrupt_status(const struct mmio_access *access)
{
	return virtio_read_interrupt_status(access->dev);
}

static void write_interrupt_ack(const struct mmio_access *access)
{
	if (access->value & ~(uint32_t)(VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG)) {
		access_begin(access);
		mmio_write_mistake(access, RULE_INTERRUPT_BITS);
		access_end(access);
	}
	virtio_ack_interrupt(access->dev, access->value);
}

static uint32_t read_status(const struct mmio_access *access)
{
	return access->dev->status;
}

static void write_status(const struct mmio_access *access)
{
	struct virtio_mmio *mmio = access->mmio;

	virtio_set_status(access->dev, access->value);
	if (access->value == 0) {
		mmio->device_features_sel = mmio->driver_features_sel = 0;
		mmio->queue_sel = 0;
	}
}

static uint32_t read_config_generation(const struct mmio_access *access)
{
	return access->dev->config_generation;
}

/* --- the registers (virtio 4.2.2) ------------------------------------------------------------- */

/* Phases of initialisation (virtio 3.1.1): the driver chooses features; it sets up queues, and may
 * do so later too; the device is live. A queue can be stopped even when the device is broken: a
 * driver that does it waits until the registers say so (4.2.2.2). */
#define IN_FEATURES .set = VIRTIO_STATUS_DRIVER, .clear = VIRTIO_STATUS_FEATURES_OK | BROKEN
#define IN_QUEUES   .set = VIRTIO_STATUS_FEATURES_OK, .clear = BROKEN
#define IN_STOP     .set = VIRTIO_STATUS_FEATURES_OK
#define IN_LIVE     .set = VIRTIO_STATUS_DRIVER_OK, .clear = BROKEN

#define LEGACY(title)                 \
	{                             \
		title, .legacy = true \
	}
#define R(function)       .read = read_##function
#define W(function)       .write = write_##function
#define CONSTANT(number)  R(constant), .constant = (number)
#define SELECTOR(name)    W(selector), .field = offsetof(struct virtio_mmio, name)
#define ADDRESS(name, at) W(queue_address), .field = offsetof(struct virtq, name), .shift = (at)

const struct mmio_register mmio_registers[VIRTIO_MMIO_CONFIG / 4] = {
	[VIRTIO_MMIO_MAGIC_VALUE / 4] = {"MagicValue", CONSTANT(VIRTIO_MMIO_MAGIC)},
	[VIRTIO_MMIO_VERSION / 4] = {"Version", CONSTANT(VIRTIO_MMIO_VERSION_VALUE)},
	[VIRTIO_MMIO_DEVICE_ID / 4] = {"DeviceID", R(device_id)},
	[VIRTIO_MMIO_VENDOR_ID / 4] = {"VendorID", CONSTANT(VIRTIO_MMIO_VENDOR_VALUE)},
	[VIRTIO_MMIO_DEVICE_FEATURES / 4] = {"DeviceFeatures", R(device_features)},
	[VIRTIO_MMIO_DEVICE_FEATURES_SEL / 4] = {"DeviceFeaturesSel",
		SELECTOR(device_features_sel)},
	[VIRTIO_MMIO_DRIVER_FEATURES / 4] = {"DriverFeatures", W(driver_features), IN_FEATURES},
	[VIRTIO_MMIO_DRIVER_FEATURES_SEL / 4] = {"DriverFeaturesSel",
		SELECTOR(driver_features_sel)},
	[0x028 / 4] = LEGACY("GuestPageSize"),
	[VIRTIO_MMIO_QUEUE_SEL / 4] = {"QueueSel", SELECTOR(queue_sel)},
	[VIRTIO_MMIO_QUEUE_SIZE_MAX / 4] = {"QueueSizeMax", R(queue_size_max)},
	[VIRTIO_MMIO_QUEUE_SIZE / 4] = {"QueueSize", W(queue_size), IN_QUEUES},
	[0x03c / 4] = LEGACY("QueueAlign"),
	[0x040 / 4] = LEGACY("QueuePFN"),
	[VIRTIO_MMIO_QUEUE_READY / 4] = {"QueueReady", R(queue_ready), W(queue_ready), IN_STOP,
		.stops = true},
	[VIRTIO_MMIO_QUEUE_NOTIFY / 4] = {"QueueNotify", W(queue_notify), IN_LIVE},
	[VIRTIO_MMIO_INTERRUPT_STATUS / 4] = {"InterruptStatus", R(interrupt_status),
		.unlocked = true},
	[VIRTIO_MMIO_INTERRUPT_ACK / 4] = {"InterruptACK", W(interrupt_ack), .unlocked = true},
	[VIRTIO_MMIO_STATUS / 4] = {"Status", R(status), W(status)},
	[VIRTIO_MMIO_QUEUE_DESC_LOW / 4] = {"QueueDescLow", ADDRESS(desc, 0), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DESC_HIGH / 4] = {"QueueDescHigh", ADDRESS(desc, 32), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DRIVER_LOW / 4] = {"QueueDriverLow", ADDRESS(driver, 0), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DRIVER_HIGH / 4] = {"QueueDriverHigh", ADDRESS(driver, 32), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DEVICE_LOW / 4] = {"QueueDeviceLow", ADDRESS(device, 0), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DEVICE_HIGH / 4] = {"QueueDeviceHigh", ADDRESS(device, 32), IN_QUEUES},
	[VIRTIO_MMIO_SHM_SEL / 4] = {"SHMSel", W(shm_sel)},
	[VIRTIO_MMIO_SHM_LEN_LOW / 4] = {"SHMLenLow", CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_SHM_LEN_HIGH / 4] = {"SHMLenHigh", CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_SHM_BASE_LOW / 4] = {"SHMBaseLow", CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_SHM_BASE_HIGH / 4] = {"SHMBaseHigh", CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_QUEUE_RESET / 4] = {"QueueReset", CONSTANT(0), W(queue_reset), IN_STOP},
	[VIRTIO_MMIO_CONFIG_GENERATION / 4] = {"ConfigGeneration", R(config_generation)},
};
