/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEVICE_H
#define VMM_DEVICE_H

/*
 * A virtio device's place in the machine: its window, its interrupt, and what a kick signals. Here,
 * and only here, virtio devices meet the engine.
 */

#include "feature_choice.h"
#include "virtio.h"

struct cpu;
struct vm;
struct vm_device;
struct worker;

/* Callbacks of every virtio device; ctx is its struct vm_device. */
extern const struct virtio_host_ops device_host_ops;

/* Returns the next device, empty: the caller makes its virtio_device, then calls device_add(). */
struct vm_device *device_next(struct vm *vm);

/*
 * Connects the next device, whose virtio_device is made, to the loop and the engine, and sets which
 * features it offers. worker serves it; NULL: the I/O thread does. Returns 0 or -errno (said). The
 * caller calls device_free() whatever is returned.
 */
int device_add(struct vm *vm, struct vm_device *device, struct virtio_device *virtio,
	const struct feature_choice *features, struct worker *worker);
/* Frees the worker as well. */
void device_free(struct vm_device *device);

/* Serves each queue that was kicked, once, where the engine executes guest code on the I/O thread.
 * Other engines' kicks are the loop's, and those of a machine with vm->recording are its own. If
 * there is more to do, vm->is_kicked is set again. I/O thread. */
void device_serve_kicked(struct vm *vm);

/* Handles an access of a CPU to the device's window, as virtio_mmio_read() and virtio_mmio_write()
 * do. On the thread that executes the CPU. */
void device_access(struct vm_device *device, struct cpu *cpu, uint32_t offset, bool is_write,
	uint8_t *data, unsigned len);

#endif
