/* SPDX-License-Identifier: BSD-2-Clause */
#include "driver.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the machine around a device -------------------------------------------------------------- */

static void host_raise(void *ctx)
{
	struct host *host = ctx;

	host->raises++;
	if (host->on_raise)
		host->on_raise(host->ctx);
}

static void host_kick(void *ctx, unsigned queue)
{
	struct host *host = ctx;

	host->kicks[queue]++;
	host->pending[queue] = true;
	if (host->on_kick)
		host->on_kick(host->ctx, queue);
}

static int host_live(void *ctx, bool live)
{
	struct host *host = ctx;

	if (!live) {
		host->live_off++;
		return 0;
	}
	host->live_on++;
	return host->live_error;
}

static void host_report(void *ctx, const struct virtio_report *report)
{
	struct host *host = ctx;

	host->accessor = report->accessor;
	if (report->rule == RULE_NONE) {
		host->reports++;
		snprintf(host->report, sizeof host->report, "%s", report->text);
	} else {
		host->mistakes++;
		host->rule = report->rule;
		snprintf(host->mistake, sizeof host->mistake, "%s", report->text);
	}
}

static bool host_ending(void *ctx)
{
	struct host *host = ctx;

	return host->ending;
}

const struct virtio_host_ops driver_host_ops = {
	.raise = host_raise,
	.kick = host_kick,
	.live = host_live,
	.ending = host_ending,
	.report = host_report,
};

/* --- registers and initialisation ------------------------------------------------------------- */

void driver_init(struct driver *driver)
{
	memset(driver, 0, sizeof *driver);
	ram_init(&driver->ram);
}

void driver_attach(struct driver *driver, struct virtio_device *dev)
{
	driver->dev = dev;
	virtio_offer(dev, (dev->features | driver_ring_form) & VIRTIO_QUEUE_FEATURES);
	virtio_mmio_init(&driver->mmio, dev);
}

void driver_free(struct driver *driver)
{
	virtio_free(driver->dev);
	ram_free(&driver->ram);
}

uint64_t access_read(struct driver *driver, uint32_t offset, unsigned len)
{
	uint8_t data[8];
	uint64_t value = 0;

	memset(data, 0xee, sizeof data);
	virtio_mmio_read(&driver->mmio, offset, data, len, driver);
	for (unsigned i = 0; i < len; i++)
		value |= (uint64_t)data[i] << (8 * i);
	return value;
}

void access_write(struct driver *driver, uint32_t offset, uint64_t value, unsigned len)
{
	uint8_t data[8];

	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = value >> (8 * i);
	virtio_mmio_write(&driver->mmio, offset, data, len, driver);
}

uint32_t reg_read(struct driver *driver, uint32_t offset)
{
	return access_read(driver, offset, 4);
}

void reg_write(struct driver *driver, uint32_t offset, uint32_t value)
{
	access_write(driver, offset, value, 4);
}

uint32_t driver_status(struct driver *driver)
{
	return reg_read(driver, VIRTIO_MMIO_STATUS);
}

bool driver_failed(struct driver *driver)
{
	return driver_status(driver) & VIRTIO_STATUS_DEVICE_NEEDS_RESET;
}

uint64_t driver_ring_form;

uint64_t driver_offered(struct driver *driver)
{
	uint64_t low;

	reg_write(driver, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	low = reg_read(driver, VIRTIO_MMIO_DEVICE_FEATURES);
	reg_write(driver, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)reg_read(driver, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
}

bool driver_negotiate(struct driver *driver, uint64_t features)
{
	uint32_t status = VIRTIO_STATUS_ACKNOWLEDGE;

	features |= VIRTIO_BIT(VIRTIO_F_VERSION_1) | driver_ring_form;
	driver->features = features;
	reg_write(driver, VIRTIO_MMIO_STATUS, 0);
	reg_write(driver, VIRTIO_MMIO_STATUS, status);
	reg_write(driver, VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_DRIVER);
	for (unsigned word = 0; word < 2; word++) {
		reg_write(driver, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		reg_write(driver, VIRTIO_MMIO_DRIVER_FEATURES, features >> (32 * word));
	}
	reg_write(driver, VIRTIO_MMIO_STATUS, status | VIRTIO_STATUS_FEATURES_OK);
	return driver_status(driver) & VIRTIO_STATUS_FEATURES_OK;
}

void driver_place(
	struct driver *driver, unsigned queue, uint32_t size, gpa_t desc, gpa_t avail, gpa_t used)
{
	reg_write(driver, VIRTIO_MMIO_QUEUE_SEL, queue);
	reg_write(driver, VIRTIO_MMIO_QUEUE_SIZE, size);
	reg_write(driver, VIRTIO_MMIO_QUEUE_DESC_LOW, desc);
	reg_write(driver, VIRTIO_MMIO_QUEUE_DESC_HIGH, desc >> 32);
	reg_write(driver, VIRTIO_MMIO_QUEUE_DRIVER_LOW, avail);
	reg_write(driver, VIRTIO_MMIO_QUEUE_DRIVER_HIGH, avail >> 32);
	reg_write(driver, VIRTIO_MMIO_QUEUE_DEVICE_LOW, used);
	reg_write(driver, VIRTIO_MMIO_QUEUE_DEVICE_HIGH, used >> 32);
}

bool driver_setup(struct driver *driver, unsigned queue, uint16_t size)
{
	struct ring *ring = &driver->rings[queue];

	ring_init(ring, &driver->ram, size, driver->features);
	driver_place(driver, queue, size, ring->desc, ring->avail, ring->used);
	reg_write(driver, VIRTIO_MMIO_QUEUE_READY, 1);
	return reg_read(driver, VIRTIO_MMIO_QUEUE_READY) == 1;
}

void driver_ok(struct driver *driver)
{
	reg_write(driver, VIRTIO_MMIO_STATUS, driver_status(driver) | VIRTIO_STATUS_DRIVER_OK);
}

bool driver_bring_up(struct driver *driver, uint64_t features)
{
	if (!driver_negotiate(driver, features))
		return false;
	for (unsigned i = 0; i < virtio_queue_count(driver->dev); i++) {
		if (!driver_setup(driver, i, DRIVER_QUEUE_SIZE))
			return false;
	}
	driver_ok(driver);
	return driver_status(driver) == 0xf;
}

bool driver_start(struct driver *driver, uint64_t features)
{
	bool live = driver_bring_up(driver, features);

	driver_serve(driver);
	return live;
}

/* A fuzzed ring may be laid over itself such that what a pass writes is the next buffer, for
 * ever. */
#define SERVE_PASSES_MAX 1000

unsigned driver_serve(struct driver *driver)
{
	unsigned passes = 0;
	bool again = true;

	while (again && passes < SERVE_PASSES_MAX) {
		again = false;
		for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
			if (!atomic_exchange(&driver->host.pending[i], false))
				continue;
			again = true;
			passes++;
			/* Others get their turn first. */
			if (virtio_serve(driver->dev, i))
				driver->host.pending[i] = true;
		}
	}
	return passes;
}

unsigned driver_kick(struct driver *driver, unsigned queue)
{
	uint32_t value = queue;

	if (driver->features & VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA))
		value |= (uint32_t)ring_position(&driver->rings[queue]) << 16;
	reg_write(driver, VIRTIO_MMIO_QUEUE_NOTIFY, value);
	return driver_serve(driver);
}

/* --- back ends -------------------------------------------------------------------------------- */

/* How much a call may move: the least of what is asked for, what there is, and the call's limit. */
static size_t bounded(size_t asked, size_t available, size_t max)
{
	if (asked > available)
		asked = available;
	return max && asked > max ? max : asked;
}

static size_t iov_len(const struct iovec *iov, unsigned count)
{
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += iov[i].iov_len;
	return len;
}

/* Copy len bytes between a flat buffer and segments. */
static void iov_copy(const struct iovec *iov, unsigned count, uint8_t *flat, size_t len, bool out)
{
	for (unsigned i = 0; i < count && len > 0; i++) {
		size_t part = iov[i].iov_len < len ? iov[i].iov_len : len;

		if (out)
			memcpy(flat, iov[i].iov_base, part);
		else
			memcpy(iov[i].iov_base, flat, part);
		flat += part;
		len -= part;
	}
}

static ssize_t fake_console_read(
	struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	struct fake_console *fake = (struct fake_console *)backend;
	size_t len = bounded(iov_len(iov, count), fake->input_len, fake->input_max);

	assert(iov_len(iov, count) > 0);
	fake->reads++;
	if (fake->input_len == 0)
		return fake->input_end ? 0 : -EAGAIN;
	iov_copy(iov, count, (uint8_t *)fake->input, len, false);
	fake->input += len;
	fake->input_len -= len;
	return len;
}

static ssize_t fake_console_write(
	struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	struct fake_console *fake = (struct fake_console *)backend;
	size_t len = bounded(iov_len(iov, count), fake->output_room, 0);
	size_t room = sizeof fake->output;
	size_t keep = fake->output_len < room ? bounded(len, room - fake->output_len, 0) : 0;

	assert(iov_len(iov, count) > 0);
	fake->writes++;
	if (fake->output_error)
		return fake->output_error;
	if (len == 0)
		return -EAGAIN;
	if (keep > 0)
		iov_copy(iov, count, fake->output + fake->output_len, keep, true);
	fake->output_len += len;
	fake->output_room -= len;
	return len;
}

static void fake_console_want(struct console_backend *backend, bool input, bool output)
{
	struct fake_console *fake = (struct fake_console *)backend;

	fake->wants++;
	fake->input_wanted = input;
	fake->output_wanted = output;
}

static bool fake_console_connected(struct console_backend *backend)
{
	return !((struct fake_console *)backend)->away;
}

static void fake_console_size(struct console_backend *backend, uint16_t *cols, uint16_t *rows)
{
	struct fake_console *fake = (struct fake_console *)backend;

	*cols = fake->cols;
	*rows = fake->rows;
}

void fake_console_init(struct fake_console *fake, uint16_t cols, uint16_t rows)
{
	static const struct console_backend_ops ops = {fake_console_read, fake_console_write,
		fake_console_want, fake_console_connected, fake_console_size};

	*fake = (struct fake_console){
		.backend = {&ops}, .cols = cols, .rows = rows, .output_room = SIZE_MAX};
}

static ssize_t fake_rng_fill(struct rng_backend *backend, void *buf, size_t len)
{
	struct fake_rng *fake = (struct fake_rng *)backend;
	uint8_t *bytes = buf;

	if (fake->on_fill)
		fake->on_fill(fake->ctx);
	fake->calls++;
	if (fake->error)
		return fake->error;
	if (fake->left == 0)
		return -EAGAIN;
	len = bounded(len, fake->left, fake->max);
	for (size_t i = 0; i < len; i++) {
		fake->last = fake->last == 255 ? 1 : fake->last + 1;
		bytes[i] = fake->last;
	}
	fake->left -= len;
	fake->total += len;
	return len;
}

void fake_rng_init(struct fake_rng *fake)
{
	static const struct rng_backend_ops ops = {fake_rng_fill};

	*fake = (struct fake_rng){.backend = {&ops}, .left = SIZE_MAX};
}

/* Returns how many bytes this call may transfer, or what it has to return instead. */
static ssize_t fake_block_check(struct fake_block *fake, size_t len, uint64_t offset)
{
	if (fake->on_transfer)
		fake->on_transfer(fake->ctx);
	if (fake->fail_after == 0)
		return fake->end ? 0 : -EIO;
	/* The device checks the range, not the back end. */
	assert(offset <= sizeof fake->disk && len <= sizeof fake->disk - offset);
	len = bounded(len, fake->fail_after, fake->max);
	fake->fail_after -= len;
	return len;
}

static ssize_t fake_block_read(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct fake_block *fake = (struct fake_block *)backend;
	ssize_t len = fake_block_check(fake, iov_len(iov, count), offset);

	fake->reads++;
	if (len > 0)
		iov_copy(iov, count, fake->disk + offset, len, false);
	return len;
}

static ssize_t fake_block_write(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct fake_block *fake = (struct fake_block *)backend;
	ssize_t len = fake_block_check(fake, iov_len(iov, count), offset);

	fake->writes++;
	if (len > 0) {
		iov_copy(iov, count, fake->disk + offset, len, true);
		fake->unstable++;
	}
	return len;
}

static int fake_block_flush(struct block_backend *backend)
{
	struct fake_block *fake = (struct fake_block *)backend;

	fake->flushes++;
	if (fake->flush_error)
		return fake->flush_error;
	fake->unstable = 0;
	return 0;
}

/* A range is done as a whole or not at all. */
static int fake_block_fill(struct fake_block *fake, uint64_t offset, uint64_t len, uint8_t with)
{
	size_t max = fake->max;
	ssize_t got;

	assert(len > 0);
	fake->max = 0;
	got = fake_block_check(fake, len, offset);
	fake->max = max;
	if (got < 0 || (size_t)got < len)
		return -EIO;
	memset(fake->disk + offset, with, len);
	return 0;
}

static int fake_block_write_zeroes(
	struct block_backend *backend, uint64_t offset, uint64_t len, bool unmap)
{
	struct fake_block *fake = (struct fake_block *)backend;

	fake->zeroings++;
	fake->unmappings += unmap;
	fake->unstable++;
	return fake_block_fill(fake, offset, len, 0);
}

static int fake_block_discard(struct block_backend *backend, uint64_t offset, uint64_t len)
{
	struct fake_block *fake = (struct fake_block *)backend;

	fake->discards++;
	return fake_block_fill(fake, offset, len, FAKE_DISCARDED);
}

void fake_block_init(struct fake_block *fake)
{
	static const struct block_backend_ops ops = {fake_block_read, fake_block_write,
		fake_block_flush, fake_block_write_zeroes, fake_block_discard};

	*fake = (struct fake_block){
		.backend = {.ops = &ops,
			.capacity = FAKE_DISK_SECTORS,
			.block_size = 512,
			.unit = 4096,
			.can_unmap = true,
			.id = "fake"},
		.fail_after = SIZE_MAX,
	};
	for (unsigned i = 0; i < FAKE_DISK_SECTORS; i++)
		memset(fake->disk + 512 * i, i + 1, 512);
}
