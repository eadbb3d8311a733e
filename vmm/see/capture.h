/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CAPTURE_H
#define VMM_CAPTURE_H

/*
 * The view of --capture: a pcapng file of what drivers and devices say to each other
 * (spec/capture.md), for Wireshark and for vole story.
 */

#include <stdbool.h>
#include <stdint.h>

struct views;

#define CAPTURE_SNAP_DEFAULT 65536u
#define CAPTURE_SNAP_MAX     262144u

/* Makes the view and adds it to views. path is the file, which is truncated; NULL: it writes to
 * fd, which it owns. At most snap bytes of a buffer are captured. With stores, each store of a
 * driver to a queue that is ready is a record of its own, where the engine sees them. Returns 0 or
 * -errno (said). */
int capture_open(struct views *views, const char *path, int fd, uint32_t snap, bool stores);

#endif
