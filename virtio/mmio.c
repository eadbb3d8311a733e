/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmio.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <vole/le.h>
#include <vole/virtio_mmio.h>

struct access;

#define BROKEN (VIRTIO_STATUS_DEVICE_NEEDS_RESET | VIRTIO_STATUS_FAILED)

/* What a register is: how it is read and written, NULL if it is not, and when it may be written. */
struct mmio_register {
	uint32_t (*read)(const struct access *access);
	void (*write)(const struct access *access);

	uint8_t set, clear; /* a write needs these bits of Status set, and these clear */
	bool unlocked;      /* read and written without the device's lock held */

	/* For the functions that serve several registers. */
	uint32_t constant;
	size_t field;   /* offset of what is stored, in struct virtio_mmio or struct virtq */
	unsigned shift; /* 32 for the high half of an address */
};

/* One access to a register, by the rules for its width and direction, in the right phase. */
struct access {
	const struct mmio_register *reg;
	struct virtio_mmio *mmio;
	struct virtio_device *dev;
	uint32_t value; /* written */
};

/* --- what registers do ------------------------------------------------------------------------ */

static uint32_t read_constant(const struct access *access)
{
	return access->reg->constant;
}

static void write_selector(const struct access *access)
{
	uint32_t *selector = (uint32_t *)((char *)access->mmio + access->reg->field);

	*selector = access->value;
}

/* There is no shared memory, whichever region is asked for (virtio 4.2.2). */
static void write_shm_sel(const struct access *access)
{
	(void)access;
}

static uint32_t read_device_id(const struct access *access)
{
	return access->dev->ops->id;
}

/* A selector is any number. Words without features read 0 and forget what is written. */
static uint32_t read_device_features(const struct access *access)
{
	uint32_t word = access->mmio->device_features_sel;

	return word < 2 ? access->dev->features >> (32 * word) : 0;
}

static void write_driver_features(const struct access *access)
{
	uint32_t word = access->mmio->driver_features_sel;
	uint64_t *features = &access->dev->driver_features;

	if (word < 2) {
		*features &= ~((uint64_t)UINT32_MAX << (32 * word));
		*features |= (uint64_t)access->value << (32 * word);
	}
}

/* The queue that QueueSel chose, or NULL if there is none. */
static struct virtq *selected_queue(const struct access *access)
{
	uint32_t queue = access->mmio->queue_sel;

	return queue < virtio_queue_count(access->dev) ? &access->dev->queues[queue] : NULL;
}

/* The same, if its size and addresses may be written: they are fixed while the queue is on
 * (virtio 4.2.2.2). */
static struct virtq *settable_queue(const struct access *access)
{
	struct virtq *vq = selected_queue(access);

	return vq && !vq->ready ? vq : NULL;
}

static uint32_t read_queue_size_max(const struct access *access)
{
	return selected_queue(access) ? access->dev->ops->queue_size_max : 0;
}

static void write_queue_size(const struct access *access)
{
	struct virtq *vq = settable_queue(access);

	if (vq)
		vq->size = access->value;
}

static void write_queue_address(const struct access *access)
{
	const struct mmio_register *reg = access->reg;
	struct virtq *vq = settable_queue(access);
	gpa_t *address;

	if (!vq)
		return;
	address = (gpa_t *)((char *)vq + reg->field);
	*address &= ~((uint64_t)UINT32_MAX << reg->shift);
	*address |= (uint64_t)access->value << reg->shift;
}

static uint32_t read_queue_ready(const struct access *access)
{
	const struct virtq *vq = selected_queue(access);

	return vq && vq->ready;
}

static void write_queue_ready(const struct access *access)
{
	bool ready = access->value == 1;

	if (!selected_queue(access) || access->value > 1 || (ready && access->dev->status & BROKEN))
		return;
	virtio_set_queue_ready(access->dev, access->mmio->queue_sel, ready);
}

/* Done when the write returns: no read ever finds a reset under way. */
static void write_queue_reset(const struct access *access)
{
	if (selected_queue(access) && access->value == 1 &&
		virtio_has_feature(access->dev, VIRTIO_F_RING_RESET))
		virtio_reset_queue(access->dev, access->mmio->queue_sel);
}

static void write_queue_notify(const struct access *access)
{
	uint32_t queue = access->value;

	/* The upper half then says how far the driver is (virtio 2.9), which the ring says too. */
	if (virtio_has_feature(access->dev, VIRTIO_F_NOTIFICATION_DATA))
		queue &= 0xffff;
	virtio_kick(access->dev, queue);
}

static uint32_t read_interrupt_status(const struct access *access)
{
	return virtio_read_interrupt_status(access->dev);
}

static void write_interrupt_ack(const struct access *access)
{
	virtio_ack_interrupt(access->dev, access->value);
}

static uint32_t read_status(const struct access *access)
{
	return access->dev->status;
}

static void write_status(const struct access *access)
{
	struct virtio_mmio *mmio = access->mmio;

	virtio_set_status(access->dev, access->value);
	if (access->value == 0) {
		mmio->device_features_sel = mmio->driver_features_sel = 0;
		mmio->queue_sel = 0;
	}
}

static uint32_t read_config_generation(const struct access *access)
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

#define R(function)       .read = read_##function
#define W(function)       .write = write_##function
#define CONSTANT(number)  R(constant), .constant = (number)
#define SELECTOR(name)    W(selector), .field = offsetof(struct virtio_mmio, name)
#define ADDRESS(name, at) W(queue_address), .field = offsetof(struct virtq, name), .shift = (at)

/* What is not here is a hole. */
static const struct mmio_register registers[VIRTIO_MMIO_CONFIG / 4] = {
	[VIRTIO_MMIO_MAGIC_VALUE / 4] = {CONSTANT(VIRTIO_MMIO_MAGIC)},
	[VIRTIO_MMIO_VERSION / 4] = {CONSTANT(VIRTIO_MMIO_VERSION_VALUE)},
	[VIRTIO_MMIO_DEVICE_ID / 4] = {R(device_id)},
	[VIRTIO_MMIO_VENDOR_ID / 4] = {CONSTANT(VIRTIO_MMIO_VENDOR_VALUE)},
	[VIRTIO_MMIO_DEVICE_FEATURES / 4] = {R(device_features)},
	[VIRTIO_MMIO_DEVICE_FEATURES_SEL / 4] = {SELECTOR(device_features_sel)},
	[VIRTIO_MMIO_DRIVER_FEATURES / 4] = {W(driver_features), IN_FEATURES},
	[VIRTIO_MMIO_DRIVER_FEATURES_SEL / 4] = {SELECTOR(driver_features_sel)},
	[VIRTIO_MMIO_QUEUE_SEL / 4] = {SELECTOR(queue_sel)},
	[VIRTIO_MMIO_QUEUE_SIZE_MAX / 4] = {R(queue_size_max)},
	[VIRTIO_MMIO_QUEUE_SIZE / 4] = {W(queue_size), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_READY / 4] = {R(queue_ready), W(queue_ready), IN_STOP},
	[VIRTIO_MMIO_QUEUE_NOTIFY / 4] = {W(queue_notify), IN_LIVE},
	[VIRTIO_MMIO_INTERRUPT_STATUS / 4] = {R(interrupt_status), .unlocked = true},
	[VIRTIO_MMIO_INTERRUPT_ACK / 4] = {W(interrupt_ack), .unlocked = true},
	[VIRTIO_MMIO_STATUS / 4] = {R(status), W(status)},
	[VIRTIO_MMIO_QUEUE_DESC_LOW / 4] = {ADDRESS(desc, 0), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DESC_HIGH / 4] = {ADDRESS(desc, 32), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DRIVER_LOW / 4] = {ADDRESS(driver, 0), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DRIVER_HIGH / 4] = {ADDRESS(driver, 32), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DEVICE_LOW / 4] = {ADDRESS(device, 0), IN_QUEUES},
	[VIRTIO_MMIO_QUEUE_DEVICE_HIGH / 4] = {ADDRESS(device, 32), IN_QUEUES},
	[VIRTIO_MMIO_SHM_SEL / 4] = {W(shm_sel)},
	[VIRTIO_MMIO_SHM_LEN_LOW / 4] = {CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_SHM_LEN_HIGH / 4] = {CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_SHM_BASE_LOW / 4] = {CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_SHM_BASE_HIGH / 4] = {CONSTANT(UINT32_MAX)},
	[VIRTIO_MMIO_QUEUE_RESET / 4] = {CONSTANT(0), W(queue_reset), IN_STOP},
	[VIRTIO_MMIO_CONFIG_GENERATION / 4] = {R(config_generation)},
};

/* --- accesses --------------------------------------------------------------------------------- */

/* Registers are accessed whole, 32 bits at a time (virtio 4.2.2.2). NULL for any other access. */
static const struct mmio_register *register_find(uint32_t offset, unsigned len)
{
	if (offset >= VIRTIO_MMIO_CONFIG || offset % 4 != 0 || len != 4)
		return NULL;
	return &registers[offset / 4];
}

static bool phase_permits(const struct access *access)
{
	uint8_t set = access->reg->set, clear = access->reg->clear;

	return (access->dev->status & (set | clear)) == set;
}

static uint32_t register_read(const struct access *access)
{
	uint32_t value;

	if (access->reg->unlocked)
		return access->reg->read(access);
	pthread_mutex_lock(&access->dev->lock);
	value = access->reg->read(access);
	pthread_mutex_unlock(&access->dev->lock);
	return value;
}

static void register_write(const struct access *access)
{
	if (access->reg->unlocked) {
		access->reg->write(access);
		return;
	}
	pthread_mutex_lock(&access->dev->lock);
	if (phase_permits(access))
		access->reg->write(access);
	pthread_mutex_unlock(&access->dev->lock);
}

/* Bytes of an access to configuration space that lie within it; none for a width that it does not
 * have: 64-bit fields are accessed by halves (virtio 4.2.2.2). */
static unsigned config_part(const struct virtio_device *dev, uint32_t offset, unsigned len)
{
	size_t config_len = dev->ops->config_len;

	if (len > 4 || offset >= config_len)
		return 0;
	return len <= config_len - offset ? len : config_len - offset;
}

static void config_read(struct virtio_device *dev, uint32_t offset, uint8_t *data, unsigned len)
{
	uint8_t config[VIRTIO_CONFIG_MAX];

	len = config_part(dev, offset, len);
	if (len == 0)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->ops->config_read(dev, config);
	pthread_mutex_unlock(&dev->lock);
	memcpy(data, config + offset, len);
}

/* Writes configuration space in any phase. The device type checks the phase, because one field, the
 * console's emergency write, works at any time (virtio 5.3.5.1). */
static void config_write(
	struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	len = config_part(dev, offset, len);
	if (len == 0 || !dev->ops->config_write)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->ops->config_write(dev, offset, data, len);
	pthread_mutex_unlock(&dev->lock);
}

void virtio_mmio_init(struct virtio_mmio *mmio, struct virtio_device *dev)
{
	*mmio = (struct virtio_mmio){.dev = dev};
}

void virtio_mmio_read(struct virtio_mmio *mmio, uint32_t offset, uint8_t *data, unsigned len)
{
	struct access access = {register_find(offset, len), mmio, mmio->dev, 0};
	le32 word;

	memset(data, 0, len);
	if (offset >= VIRTIO_MMIO_CONFIG) {
		config_read(mmio->dev, offset - VIRTIO_MMIO_CONFIG, data, len);
	} else if (access.reg && access.reg->read) {
		word = cpu_to_le32(register_read(&access));
		memcpy(data, &word, sizeof word);
	}
}

void virtio_mmio_write(struct virtio_mmio *mmio, uint32_t offset, const uint8_t *data, unsigned len)
{
	struct access access = {register_find(offset, len), mmio, mmio->dev, 0};
	le32 word;

	if (offset >= VIRTIO_MMIO_CONFIG) {
		config_write(mmio->dev, offset - VIRTIO_MMIO_CONFIG, data, len);
	} else if (access.reg && access.reg->write) {
		memcpy(&word, data, sizeof word);
		access.value = le32_to_cpu(word);
		register_write(&access);
	}
}
