/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_DEVICE_H
#define TESTS_FUZZ_DEVICE_H

/*
 * A driver that does anything: an input is a list of what it does to registers, rings and memory,
 * and of what the host's side does meanwhile. device.c says how it is read.
 *
 * Afterwards, whatever was done: read-only memory is as it was; a device that was reset leaves
 * memory alone; and it can be brought up anew.
 */

#include "../driver.h"
#include "input.h"

#define DEVICE_RAM UINT32_C(0x10000) /* from 0; memory that the guest may only read follows */
#define DEVICE_ROM UINT32_C(0x1000)

/* A queue, as this driver knows it. */
struct device_queue {
	gpa_t desc, avail, used; /* its areas */
	uint32_t size;
	uint16_t next; /* descriptor to be taken */
	uint16_t avail_idx;
	bool wrapped; /* packed: the first wrap counter is 1 */
};

struct device_run {
	struct driver driver;
	struct input in;
	struct input meanwhile; /* what is left of what is to happen while the device is at work */
	struct device_queue queues[VIRTIO_QUEUES_MAX];

	/* What the host's side does, by input. NULL: nothing. */
	void (*host_side)(struct device_run *run);
};

/* Memory and a host for a device that is to be made: run->driver.ram and .host. */
void device_begin(struct device_run *run, const uint8_t *data, size_t size);

/* All of the input, done to this device, which is freed. */
void device_end(struct device_run *run, struct virtio_device *dev);

/* What another CPU does to memory while the device is at work, if run->meanwhile says so: for the
 * fakes' hooks. ctx is a struct device_run. */
void device_meddle(void *ctx);

#endif
