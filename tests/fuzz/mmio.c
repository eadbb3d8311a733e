/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register file: any sequence of accesses, at every width and offset, with a device behind it
 * that has a configuration space and nothing to do.
 */
#include <assert.h>
#include <string.h>

#include "device.h"

struct fuzz_mmio {
	struct device_run run;
	struct virtio_device dev;
	uint8_t config[5]; /* not a multiple of a register */
};

static struct fuzz_mmio f;

static bool notified(struct virtio_device *dev, unsigned queue)
{
	struct chain chain;

	while (virtio_pop(dev, queue, &chain))
		virtq_push(&dev->queues[queue], &chain, 0);
	virtio_publish(dev, queue);
	return false;
}

static void config_read(struct virtio_device *dev, uint8_t *config)
{
	(void)dev;
	memcpy(config, f.config, sizeof f.config);
}

static void config_write(
	struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	(void)dev;
	assert(len >= 1 && len <= 4 && offset < sizeof f.config && len <= sizeof f.config - offset);
	memcpy(f.config + offset, data, len);
}

/* What a guest sees never depends on what it has written, in these; and Status is reset as a whole
 * or grows (virtio 2.1.2). */
static void check_registers(uint32_t status)
{
	struct driver *driver = &f.run.driver;
	uint32_t now = driver_status(driver);

	assert(reg_read(driver, VIRTIO_MMIO_MAGIC_VALUE) == VIRTIO_MMIO_MAGIC);
	assert(reg_read(driver, VIRTIO_MMIO_VERSION) == VIRTIO_MMIO_VERSION_VALUE);
	assert(reg_read(driver, VIRTIO_MMIO_DEVICE_ID) == 42);
	assert(now == 0 || (now & status) == status);
	assert(!(now & VIRTIO_STATUS_DRIVER_OK) || now & VIRTIO_STATUS_FEATURES_OK);
	assert(now == f.dev.status);
}

/* As many accesses as this byte says: more than one deed in a row is about registers here. */
static void host_side(struct device_run *run)
{
	for (unsigned n = take(&run->in, 1); n > 0 && run->in.next != run->in.end; n--) {
		unsigned how = take(&run->in, 1), width = 1u << (how >> 1 & 3);
		uint32_t offset = how & 8 ? take(&run->in, 2) % VIRTIO_MMIO_WINDOW_SIZE
					  : 4 * take(&run->in, 1);
		uint32_t status = f.dev.status;

		if (how & 1)
			access_read(&run->driver, offset, width);
		else
			access_write(&run->driver, offset, take(&run->in, width), width);
		check_registers(status);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct virtio_ops ops = {
		.name = "registers",
		.id = 42,
		.features = UINT64_C(0x00ff00ff),
		.queue_size_max = 64,
		.config_len = sizeof f.config,
		.notified = notified,
		.config_read = config_read,
		.config_write = config_write,
	};

	memset(f.config, 0, sizeof f.config);
	device_begin(&f.run, data, size);
	f.run.host_side = host_side;
	virtio_init(
		&f.dev, &ops, 0, 2, &f.run.driver.ram.gmem, &driver_host_ops, &f.run.driver.host);
	device_end(&f.run, &f.dev);
	return 0;
}
