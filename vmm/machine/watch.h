/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_WATCH_H
#define VMM_WATCH_H

/*
 * What the user asked to see of a running machine: the views, and the events that they read, which
 * are made here from what devices tell.
 */

#include <stdbool.h>

struct virtio_event;
struct virtio_report;
struct vm;
struct vm_device;

/* Opens the views that the options name. Before devices are added. Returns 0 or -errno (said). */
int watch_open(struct vm *vm);

/* Closes them, if they are open. Once no CPU and no device's thread is running, or those do not return. */
void watch_close(struct vm *vm);

/* A device's virtio_host_ops.event; ctx is its struct vm_device. */
void watch_event(void *ctx, const struct virtio_event *event);

/* Shows views what a device reports, and waits until readers have what they were shown before it.
 * The device's lock is held. */
void watch_report(struct vm_device *device, const struct virtio_report *report);

#endif
