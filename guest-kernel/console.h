/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

/* Driver of the console device (virtio 5.3), one port. One CPU at a time writes, one reads. */

#include <stddef.h>
#include <stdint.h>

#include <vole/start_info.h>

#include "virtq.h"

#define CONSOLE_RECEIVE_BUFFERS 8
#define CONSOLE_RECEIVE_LEN     64

/* Where the device puts input. */
struct console_buffer {
	uint8_t data[CONSOLE_RECEIVE_LEN];
};

struct console {
	struct mmio dev;
	struct virtq receive, transmit;
	struct console_buffer buffers[CONSOLE_RECEIVE_BUFFERS];

	struct console_buffer *current; /* being read; NULL: none */
	uint32_t len, next;             /* bytes in it, and the first that was not read yet */
};

/* Bring the device up. 0, or a negative number of error.h, said why. */
int console_init(struct console *con, const struct device_map_entry *entry);

/* The window's size in characters. 0 columns: there is no window, so nobody is looking. */
void console_size(const struct console *con, unsigned *cols, unsigned *rows);

/* Write all of it: when this returns, the device has taken every byte. 0, or -EIO. */
int console_write(struct console *con, const void *data, size_t len);

/* For printf_to(): ctx is the console. */
void console_print(void *ctx, const char *text, size_t len);

/* The next byte of input; waits for it. -EIO if there will be none. */
int console_read_byte(struct console *con);

#endif
