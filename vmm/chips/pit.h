/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PIT_H
#define VMM_PIT_H

/*
 * The timer of a PC: an 8254 (Intel 8254 data sheet) at ports 0x40 to 0x43, and port 0x61, through
 * which counter 2 is gated and read. OUT of counter 0 is IRQ 0. The gates of counters 0 and 1 are
 * always high; counter 1 interrupts nobody. The speaker is silent.
 *
 * Time is an argument, `now`: nanoseconds since an origin that the owner chooses, never less than
 * it was in an earlier call. All counters are clocked with 1193182 Hz from that origin.
 *
 * The data sheet leaves open or forbids, and here holds: - Before its first control word a counter
 * is at rest with OUT high, and bytes written to it are lost. - With a count of 1 in mode 2 or 3
 * OUT stays high. - The control port and what else cannot be read reads as 0xff.
 *
 * Pure code without a clock, a thread or a lock: its caller is one thread, or locks. The work of
 * each call does not depend on time or counts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "chips/pit_counter.h"

#define PIT_HZ       1193182
#define PIT_COUNTERS 3

#define PIT_PORT         0x40 /* counters 0 to 2 */
#define PIT_CONTROL_PORT 0x43
#define PIT_GATE_PORT    0x61 /* "port B" of a PC */

struct pit {
	/* IRQ 0 changes its level. Called inside of the functions below. If several edges were due,
	 * it sees at most one pulse. */
	void (*raise)(void *ctx, bool level);
	void *ctx; /* not owned */

	bool level; /* of IRQ 0, as raise() was told last; initially high, and nobody is told */
	uint8_t gate_port;
	struct pit_counter counters[PIT_COUNTERS];
};

void pit_init(struct pit *pit, void (*raise)(void *ctx, bool level), void *ctx);

/* A guest's access to one byte of the ports above. Other ports read as 0xff, and writes to them are
 * lost. */
uint8_t pit_read(struct pit *pit, uint16_t port, uint64_t now);
void pit_write(struct pit *pit, uint16_t port, uint8_t value, uint64_t now);

/* Returns when IRQ 0 rises next, in nanoseconds; UINT64_MAX if it does not as the counter is
 * programmed now. Falling edges wait for it, since they interrupt nobody. */
uint64_t pit_next(const struct pit *pit);

/* Brings IRQ 0 to its level at this time, through a rising edge if one was due. */
void pit_advance(struct pit *pit, uint64_t now);

struct snapshot_stream;

/* Transfers the state to or from a stream (snapshot/stream.h). raise() is not called. */
void pit_transfer(struct pit *pit, struct snapshot_stream *stream);

#endif
