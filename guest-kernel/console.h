/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

/*
 * Driver of the console device (virtio 5.3). It has one port, or, where the device offers
 * MULTIPORT, several: each is two queues, one for each direction, and two more carry messages about
 * ports, which console_control.c sends and obeys. virtio/console_control.h has the conversation.
 *
 * Functions that name no port are about port 0, which is the console. One CPU at a time writes; one
 * does all else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/start_info.h>
#include <vole/virtio_console.h>

#include "virtq.h"

#define CONSOLE_PORTS_MAX       4 /* ports beyond are left alone */
#define CONSOLE_RECEIVE_BUFFERS 8
#define CONSOLE_RECEIVE_LEN     64
#define CONSOLE_MESSAGES        8
#define CONSOLE_NAME_LEN        64

/* Where the device puts input. */
struct console_buffer {
	uint8_t data[CONSOLE_RECEIVE_LEN];
};

/* Where it puts a message. */
struct console_message {
	struct virtio_console_control head;
	uint8_t more[CONSOLE_NAME_LEN];
};

struct console_port {
	struct virtq receive, transmit;
	struct console_buffer buffers[CONSOLE_RECEIVE_BUFFERS];

	struct console_buffer *current; /* being read; NULL: none */
	uint32_t len, next;             /* bytes in it, and the first that was not read yet */

	/* What the device has said of it. */
	bool present;                    /* there is such a port */
	bool is_console;                 /* not a channel for some program */
	bool connected;                  /* somebody is at the other end */
	unsigned cols, rows;             /* of its window, if it is a console; 0: there is none */
	char name[CONSOLE_NAME_LEN + 1]; /* "": none */
};

struct console {
	struct mmio dev;
	unsigned interrupts; /* that console_wait() knows of */
	unsigned port_count;
	struct console_port ports[CONSOLE_PORTS_MAX];

	/* With MULTIPORT. */
	struct virtq control_receive, control_transmit;
	struct console_message messages[CONSOLE_MESSAGES];
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

/* --- several ports ---------------------------------------------------------------------------- */

/* Hear what the device has to say of ports, and answer; the fields of ports change only here. 0, or
 * -EIO. */
int console_update(struct console *con);

/* Sleep until there may be something to read on some port, or to hear, or another size. 0, or
 * -EIO. */
int console_wait(struct console *con);

/* The port with this name, NULL if the device did not tell of one yet. */
struct console_port *console_find(struct console *con, const char *name);

/* Tell the device that a port is used, or is not any more: only then it has input. A port that is a
 * console is opened by console_update(). 0, or -EIO. */
int console_open(struct console *con, struct console_port *port, bool open);

/* Write all of it, and read what is there, up to len bytes: how many, 0 if nothing is. Or -EIO. */
int console_port_write(struct console_port *port, const void *data, size_t len);
int console_port_read(struct console_port *port, void *data, size_t len);

/* --- between console.c and console_control.c -------------------------------------------------- */

/* Set the queues up; then, with the device live, begin the conversation. 0, or as
 * console_init(). */
int console_control_init(struct console *con);
int console_control_begin(struct console *con);

#endif
