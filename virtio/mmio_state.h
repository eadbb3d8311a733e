/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_MMIO_STATE_H
#define VIRTIO_MMIO_STATE_H

/*
 * The state of the MMIO register file, apart from the device's: mmio.h has the functions that work
 * on it.
 */

#include <stdint.h>

struct virtio_device;

struct virtio_mmio {
	struct virtio_device *dev; /* not owned */

	/* Guarded by dev->lock, cleared at reset. */
	uint32_t device_features_sel, driver_features_sel, queue_sel;
};

#endif
