/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LOG_VIRTIO_H
#define VMM_LOG_VIRTIO_H

/*
 * The view of --log virtio: a line for each step between a driver and its device, with the time
 * since the machine's start, names and values as the specification has them, and the place in the
 * kernel.
 */

struct views;

/* Makes the view and adds it to views. path is the file for the lines, which is truncated; NULL:
 * standard error. Returns 0 or -errno (said). */
int log_virtio_open(struct views *views, const char *path);

#endif
