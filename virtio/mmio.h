/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H

/*
 * The MMIO transport, version 2 (virtio 4.2): the register file through which a driver finds a
 * device, negotiates features, places queues and hears of interrupts. include/vole/virtio_mmio.h
 * lists the registers.
 *
 * One table says of each register who may access it and in which phase of initialisation it may be
 * written. An access that the table does not allow reads as 0 or is dropped, and is reported by the
 * register's name (report.h); the machine goes on.
 */

#include <stdint.h>

#include <vole/virtio_mmio.h>

#include "mmio_state.h"
#include "virtio.h"

void virtio_mmio_init(struct virtio_mmio *mmio, struct virtio_device *dev);

/*
 * Handle a guest's access to the window. offset is below VIRTIO_MMIO_WINDOW_SIZE, len is 1, 2, 4 or
 * 8 bytes, data is in guest byte order; virtio_mmio_read() fills all of it. accessor says who makes
 * the access: reports of mistakes and faults that it leads to have it again, and it has no other
 * meaning here; NULL: nobody asks. Any vCPU thread; the functions take the device's lock where a
 * register needs it.
 */
void virtio_mmio_read(struct virtio_mmio *mmio, uint32_t offset, uint8_t *data, unsigned len,
	const void *accessor);
void virtio_mmio_write(struct virtio_mmio *mmio, uint32_t offset, const uint8_t *data, unsigned len,
	const void *accessor);

#endif
