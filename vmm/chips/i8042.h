/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_I8042_H
#define VMM_I8042_H

/*
 * The keyboard controller of a PC, at ports 0x60 and 0x64, and a keyboard on which no key is ever
 * pressed (IBM Personal System/2 Technical Reference, "Keyboard/auxiliary device controller" and
 * "Keyboard"). Drivers find both, test and set them up, and turn lamps on. There is no mouse: what
 * is sent to it is lost, and its test fails. The A20 line is always enabled.
 *
 * Commands are done at once, so the controller is never busy. A byte for the guest interrupts as it
 * gets into the output buffer, if the configuration byte permits it.
 *
 * Any thread may access the registers.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define I8042_DATA   0x60 /* ports */
#define I8042_STATUS 0x64 /* written: command */
#define I8042_IRQ    1    /* of a PC */

#define I8042_QUEUE 16

struct i8042 {
	void (*raise)(void *ctx); /* IRQ 1; lock held */
	void (*reset)(void *ctx); /* the guest resets the machine; lock not held */
	void *ctx;                /* not owned */

	pthread_mutex_t lock; /* guards what follows */
	uint8_t configuration;
	uint8_t command;          /* of the controller, that waits for a byte; 0: none */
	uint8_t keyboard_command; /* of the keyboard, that waits for a byte; 0: none */
	uint8_t scan_code_set;
	uint8_t last;               /* byte that was read last; it can be read again */
	uint8_t queue[I8042_QUEUE]; /* for the guest; the first one is in the output buffer */
	unsigned queue_len;
};

/* Makes the controller as firmware leaves it: interrupts and translation on. Returns 0, or -errno
 * from the creation of the lock. Undone by i8042_free(). */
int i8042_init(
	struct i8042 *controller, void (*raise)(void *ctx), void (*reset)(void *ctx), void *ctx);
void i8042_free(struct i8042 *controller);

/* Handle a guest's access to I8042_DATA or I8042_STATUS. */
uint8_t i8042_read(struct i8042 *controller, uint16_t port);
void i8042_write(struct i8042 *controller, uint16_t port, uint8_t value);

struct snapshot_stream;

/* Transfers the state to or from a stream (snapshot/stream.h). raise() is not called. */
void i8042_transfer(struct i8042 *controller, struct snapshot_stream *stream);

#endif
