/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OUTSIDE_H
#define VMM_OUTSIDE_H

/*
 * The outside of a machine whose run can be repeated: stands between the devices and their back
 * ends. While the run is live, what comes from outside is taken between two turns of CPUs, by
 * outside_take(), and put into a journal; in the past it comes from the journal at the same
 * position, and the back ends are not asked. What the guest sends never depends on its readers: all
 * of it is taken at once, and the machine stands still until they have it (outside_waits()). What
 * was sent once is not sent again when the past is repeated.
 *
 * Everything happens on the I/O thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "cpu/engine.h"
#include "replay/journal.h"
#include "replay/undo.h"

/* Bytes of input that are taken at a time. */
#define OUTSIDE_INPUT_MAX JOURNAL_INPUT_MAX

struct outside;
struct snapshot_stream;

/* A console's port, or the serial port. */
struct outside_port {
	struct console_backend backend; /* what the device sees */
	struct console_backend *host;   /* NULL: the machine has no such port. Not owned */
	struct outside *outside;
	unsigned number;

	/* The state that the guest may know: it is the same in each repetition. */
	bool connected;
	uint16_t cols, rows;
	bool is_wanted; /* the device wants input */
	bool has_ended; /* reads give end */
	int64_t end;
	uint32_t input_len;
	uint8_t input[OUTSIDE_INPUT_MAX]; /* taken, and not read by the device yet */
	uint64_t sent;                    /* bytes that the guest has sent */

	/* The host's side. */
	bool is_ready;      /* something may have come */
	uint64_t delivered; /* of the bytes sent: given to the host, or waiting in output */
	uint8_t *output;    /* what it did not take yet. Owned */
	size_t output_len, output_capacity;
};

struct outside_disk {
	struct block_backend backend; /* what the device sees */
	struct block_backend *host;   /* not owned */
	struct outside *outside;
	unsigned number;
	uint64_t transfers; /* that were asked for */
};

/* The calls of a struct outside to its machine; ctx is the first argument of each. */
struct outside_host {
	void (*input)(void *ctx, unsigned port); /* there is input, or a port's other end changed */
	void (*window)(void *ctx, unsigned port); /* the size of a port's window changed */
	void (*entropy)(void *ctx);               /* there may be entropy for who waits */

	/* Looks at the disks' sizes: calls outside_resized() for each that is another. */
	void (*sizes)(void *ctx);
	void (*resize)(void *ctx, unsigned disk); /* a disk's capacity is another */
};

#define OUTSIDE_PORTS JOURNAL_PORTS /* those of a console, and the serial port, which is the last */
#define OUTSIDE_DISKS JOURNAL_DISKS

struct outside {
	struct journal journal;
	const struct outside_host *ops;
	void *ctx;
	struct engine_position position; /* of the machine, between two turns */
	bool is_past;                    /* input comes from the journal */
	bool has_stopped;                /* no guest code is executed any more: input is over */
	char diverged[160]; /* why the run is not the one of the journal; "": it is, so far */

	struct outside_port ports[OUTSIDE_PORTS];
	struct rng_backend entropy; /* what the device sees */
	struct rng_backend *entropy_host;
	bool entropy_ready;
	bool sizes_asked; /* outside_ask_sizes() */
	struct outside_disk disks[OUTSIDE_DISKS];

	struct undo *undo; /* of writes to disks; NULL: none is kept. Not owned */

	/* Bytes that the guest has written to its debug port, as outside_port has them. */
	uint64_t debug_sent, debug_delivered;
};

/* is_past: the journal has a run that is to be repeated. */
void outside_init(struct outside *outside, const struct outside_host *ops, void *ctx, bool is_past);
void outside_free(struct outside *outside);

/* Put a back end behind the outside, before the device is made. Each returns what the device gets.
 * Those of ports come in the same order in each run. */
struct console_backend *outside_add_port(
	struct outside *outside, unsigned number, struct console_backend *host);
struct rng_backend *outside_add_entropy(struct outside *outside, struct rng_backend *host);
struct block_backend *outside_add_disk(
	struct outside *outside, unsigned number, struct block_backend *host);

/* The back end of a port may have input, take output, or have another window. */
void outside_port_ready(struct outside *outside, unsigned number);

/* The source of entropy may have some. */
void outside_entropy_ready(struct outside *outside);

/* The user wants the disks' sizes to be looked at. */
void outside_ask_sizes(struct outside *outside);

/* A disk has so many sectors. */
void outside_resized(struct outside *outside, unsigned number, uint64_t sectors);

/* Takes what has come, at this position, between two turns. */
void outside_take(struct outside *outside, const struct engine_position *position);

/* Returns whether something may have come that outside_take() has not taken yet. */
bool outside_has_come(const struct outside *outside);

/* The guest writes a byte to its debug port. Returns whether it is put out: it was not before. */
bool outside_debug_byte(struct outside *outside);

/* Saves what the guest can tell of the outside, or restores it (snapshot/stream.h). */
void outside_transfer(struct outside *outside, struct snapshot_stream *stream);

/* outside_begin_past() has input come from the journal; outside_end_past(), once the journal has no
 * more, from the host again. */
void outside_begin_past(struct outside *outside);
void outside_end_past(struct outside *outside);

/* Returns whether output waits for a reader: then no guest code may be executed. */
bool outside_waits(const struct outside *outside);

/* Returns whether a port's output does. */
bool outside_port_waits(const struct outside *outside, unsigned number);

/* The run is not the one of the journal. The first reason stays. */
void outside_diverge(struct outside *outside, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For the other files of the outside: has an entry of the past be the next of this kind, with this
 * number, at this position. Returns false, having diverged, if it is not. */
bool outside_expect(struct outside *outside, enum journal_kind kind, unsigned number,
	struct journal_entry *entry);

/* Adds an entry with the present position. */
void outside_note(struct outside *outside, struct journal_entry entry);

/* A port as outside_port.c has it: state as a number, and what came. */
int64_t outside_port_state(const struct outside_port *port);
void outside_port_set_state(struct outside_port *port, int64_t state);
void outside_port_update(struct outside_port *port);
void outside_port_take(struct outside_port *port);
void outside_port_flush(struct outside_port *port);

#endif
