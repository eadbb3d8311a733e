/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PIT_COUNTER_H
#define VMM_PIT_COUNTER_H

/*
 * One counter of the 8254. Its state is a formula: what was loaded, and when. So nothing happens at
 * a tick, and a jump in time costs no more than a step.
 *
 * Times are ticks of the counter's clock. A function that takes one is called after
 * pit_counter_advance() to it, and never with an earlier one than before. A byte written or an edge
 * of GATE has its effect at the next tick, as the data sheet says.
 */

#include <stdbool.h>
#include <stdint.h>

struct pit_counter {
	uint8_t control; /* access, mode and BCD: as the control word and the status have them */
	bool gate;       /* level of GATE */

	uint32_t count; /* in the count register, in ticks: 1 to 65536, or what BCD gives */
	uint8_t low_byte;
	bool has_count;                 /* it has been written since the control word */
	bool second_write, second_read; /* of a count's two bytes, the high one is next */

	bool loaded;       /* the counting element has a count */
	bool reloads;      /* and takes another one at the end of its period */
	bool stopped;      /* by a low GATE */
	bool done;         /* modes 0, 1, 4 and 5: OUT has risen at the end */
	bool low_half;     /* mode 3: of the period */
	uint32_t initial;  /* the count that is loaded */
	uint64_t start;    /* when it was, or in mode 3 when this half of the period began */
	uint64_t stop;     /* when it was stopped */
	uint64_t one_shot; /* mode 1: since when OUT has been low */

	bool count_latched, status_latched;
	uint16_t latched_count;
	uint8_t latched_status;
};

/* Lets OUT do what is due by now. Returns true if it has risen meanwhile, once or more often. */
bool pit_counter_advance(struct pit_counter *counter, uint64_t now);

/* The level of OUT. */
bool pit_counter_out(const struct pit_counter *counter, uint64_t now);

/* When OUT rises next, or earlier if that is not known yet; after the time of the last
 * pit_counter_advance(). UINT64_MAX: not as the counter is programmed now. */
uint64_t pit_counter_next_rise(const struct pit_counter *counter);

void pit_counter_set_gate(struct pit_counter *counter, bool level, uint64_t now);

/* Control words. Only the six bits of `control` count; none of them makes it a latch command. */
void pit_counter_set_control(struct pit_counter *counter, uint8_t control);
void pit_counter_latch_count(struct pit_counter *counter, uint64_t now);
void pit_counter_latch_status(struct pit_counter *counter, uint64_t now);

/* The counter's own port. */
uint8_t pit_counter_read(struct pit_counter *counter, uint64_t now);
void pit_counter_write(struct pit_counter *counter, uint8_t byte, uint64_t now);

struct snapshot_stream;

/* Transfers the state to or from the current section of a stream (snapshot/stream.h). */
void pit_counter_transfer(struct pit_counter *counter, struct snapshot_stream *stream);

#endif
