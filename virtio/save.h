/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_SAVE_H
#define VIRTIO_SAVE_H

/* Saving a device's state, and having another device go on from it. saved.h has the state. */

#include "saved.h"

struct virtio_device;

/*
 * Has the device serve no queue and no back end from now on, on whatever thread, until
 * virtio_thaw(). Registers can be accessed. Waits for the return of a host call. Returns 0, or
 * -EBUSY if the host does not return within VIRTIO_FREEZE_MS or the machine is ending: then the
 * device is not frozen.
 */
#define VIRTIO_FREEZE_MS 5000
int virtio_freeze(struct virtio_device *dev);
void virtio_thaw(struct virtio_device *dev);

/* Sets *saved to the state of a device that is frozen, or that no other thread serves now. It has
 * no chaos. */
void virtio_save(struct virtio_device *dev, struct virtio_saved *saved);

/*
 * Has a device go on from a saved state, whatever it did before: it is reset first. No other thread
 * serves it. Its features are those that were saved; guest memory is restored. Queues are not
 * kicked.
 *   0        done
 *   -EINVAL  the state is not one of this device, and *why says what is wrong; the device must not
 *            be used
 *   other    -errno of virtio_host_ops.live(), *why is NULL
 */
int virtio_restore(struct virtio_device *dev, const struct virtio_saved *saved, const char **why);

#endif
