/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHARDEV_OPEN_H
#define VMM_CHARDEV_OPEN_H

/*
 * Opens the host's end of a console, by its kind.
 */

#include "io/chardev.h"

/*
 * Opens the host's end that text names ("stdio", "file:PATH", "unix:PATH", "pty") for the option
 * --name. A pseudo-terminal's path is said together with label, which is not kept. The caller sets
 * the callbacks before the loop runs. dev must not move. Returns 0, or -errno (said). The caller
 * calls chardev_close() whatever is returned.
 */
int chardev_open(struct chardev *dev, const char *name, const char *label, const char *text,
	struct io_loop *loop);

#endif
