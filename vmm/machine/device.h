/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEVICE_H
#define VMM_DEVICE_H

/*
 * A virtio device's place in the machine: its window, its interrupt, and what a kick signals. Here,
 * and only here, virtio devices meet KVM.
 */

#include "io/loop.h"
#include "mmio.h"
#include "offer.h"
#include "virtio.h"

struct vm;
struct vm_device;

/* The eventfd of one queue: what a kick signals, by ioeventfd or by hand. */
struct vm_kick {
	struct io_source source; /* fd -1: empty */
	struct vm_device *device;
	unsigned queue;
};

/* Device n is vm->devices[n]. */
struct vm_device {
	struct vm *vm;
	struct virtio_device *virtio;
	struct virtio_mmio mmio;
	unsigned index;
	int interrupt; /* an irqfd; -1: empty */
	struct vm_kick kicks[VIRTIO_QUEUES_MAX];
};

/* For every virtio device; the context is its struct vm_device. */
extern const struct virtio_host_ops device_host_ops;

/* The next device; its virtio_device is still to be made. */
struct vm_device *device_next(struct vm *vm);

/*
 * Wire the next device, whose virtio_device is made, to loop and KVM. Undone by device_free()
 * whatever is returned. 0 or -errno (said).
 */
int device_add(struct vm *vm, struct vm_device *device, struct virtio_device *virtio,
	const struct feature_choice *features);
void device_free(struct vm_device *device);

#endif
