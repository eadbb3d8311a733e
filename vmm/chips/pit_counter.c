/* SPDX-License-Identifier: BSD-2-Clause */
/* Modes and control bits are those of the Intel 8254 data sheet. */
#include "chips/pit_counter.h"

#include <stddef.h>

#include "snapshot/stream.h"

#define NEVER UINT64_MAX

#define CONTROL_BCD    0x01
#define CONTROL_BITS   0x3f
#define MODE_SHIFT     1
#define ACCESS_SHIFT   4
#define STATUS_OUT     0x80
#define STATUS_NULL    0x40 /* the count that was written is not loaded yet */
#define BINARY_MODULUS 0x10000
#define BCD_MODULUS    10000

enum access { UNPROGRAMMED = 0, LOW_BYTE = 1, HIGH_BYTE = 2, BOTH_BYTES = 3 };

enum mode {
	TERMINAL_COUNT = 0,
	ONE_SHOT = 1, /* started by GATE */
	RATE = 2,
	SQUARE = 3,
	SOFTWARE_STROBE = 4,
	HARDWARE_STROBE = 5, /* started by GATE */
};

static enum access access_of(const struct pit_counter *counter)
{
	return (enum access)(counter->control >> ACCESS_SHIFT & 3);
}

/* The highest bit of the three does not count for modes 2 and 3. */
static enum mode mode_of(const struct pit_counter *counter)
{
	unsigned mode = counter->control >> MODE_SHIFT & 7;

	return (enum mode)(mode > HARDWARE_STROBE ? mode - 4 : mode);
}

static bool is_started_by_gate(const struct pit_counter *counter)
{
	return mode_of(counter) == ONE_SHOT || mode_of(counter) == HARDWARE_STROBE;
}

static bool is_periodic(const struct pit_counter *counter)
{
	return mode_of(counter) == RATE || mode_of(counter) == SQUARE;
}

static uint32_t modulus(const struct pit_counter *counter)
{
	return counter->control & CONTROL_BCD ? BCD_MODULUS : BINARY_MODULUS;
}

/* --- counting ------------------------------------------------------------------------------------
 * */

static void load(struct pit_counter *counter, uint64_t now)
{
	counter->initial = counter->count;
	counter->start = counter->stopped ? now : now + 1;
	counter->stop = now;
	counter->loaded = true;
	counter->reloads = false;
	counter->done = false;
	counter->low_half = false;
}

/* A count that was written meanwhile is loaded at the end of a period. */
static void reload(struct pit_counter *counter)
{
	if (counter->reloads)
		counter->initial = counter->count;
	counter->reloads = false;
}

/* When OUT is high again in the modes that have an end. The strobes are low for one tick more. */
static uint64_t end_of_count(const struct pit_counter *counter)
{
	bool is_strobe = mode_of(counter) >= SOFTWARE_STROBE;

	return counter->start + counter->initial + (is_strobe ? 1 : 0);
}

static bool advance_rate(struct pit_counter *counter, uint64_t now)
{
	uint64_t periods;
	bool rose;

	if (now < counter->start + counter->initial)
		return false;
	rose = counter->initial > 1;
	counter->start += counter->initial;
	reload(counter);
	if (now < counter->start)
		return rose;
	periods = (now - counter->start) / counter->initial;
	counter->start += periods * counter->initial;
	return rose || (periods > 0 && counter->initial > 1);
}

/* Of an odd count the first half, in which OUT is high, has one tick more. */
static uint32_t half_period(const struct pit_counter *counter)
{
	uint32_t low = counter->initial / 2;

	return counter->low_half ? low : counter->initial - low;
}

/* True if OUT rises. */
static bool end_half_period(struct pit_counter *counter)
{
	bool was_low = counter->low_half;

	counter->start += half_period(counter);
	reload(counter);
	counter->low_half = !was_low && counter->initial > 1;
	return was_low;
}

static bool advance_square(struct pit_counter *counter, uint64_t now)
{
	uint64_t periods;
	bool rose;

	if (now < counter->start + half_period(counter))
		return false;
	rose = end_half_period(counter);
	if (counter->initial <= 1) {
		counter->start = now;
		return rose;
	}
	periods = (now - counter->start) / counter->initial;
	counter->start += periods * counter->initial;
	rose |= periods > 0;
	if (now >= counter->start + half_period(counter))
		rose |= end_half_period(counter);
	return rose;
}

bool pit_counter_advance(struct pit_counter *counter, uint64_t now)
{
	if (!counter->loaded || counter->stopped)
		return false;
	if (mode_of(counter) == RATE)
		return advance_rate(counter, now);
	if (mode_of(counter) == SQUARE)
		return advance_square(counter, now);
	if (counter->done || now < end_of_count(counter))
		return false;
	counter->done = true;
	return true;
}

/* While GATE stops the counter, its time stands still. */
static uint64_t own_time(const struct pit_counter *counter, uint64_t now)
{
	return counter->stopped ? counter->stop : now;
}

bool pit_counter_out(const struct pit_counter *counter, uint64_t now)
{
	enum mode mode = mode_of(counter);

	if (access_of(counter) == UNPROGRAMMED)
		return true;
	if (mode == TERMINAL_COUNT)
		return counter->done;
	if (!counter->loaded || counter->done)
		return true;
	if (is_periodic(counter) && (counter->stopped || counter->initial == 1))
		return true;
	switch (mode) {
	case ONE_SHOT:
		return now < counter->one_shot;
	case RATE:
		return now < counter->start + counter->initial - 1;
	case SQUARE:
		return !counter->low_half;
	default:
		return own_time(counter, now) < counter->start + counter->initial;
	}
}

uint64_t pit_counter_next_rise(const struct pit_counter *counter)
{
	if (!counter->loaded || counter->stopped || counter->done)
		return NEVER;
	if (!is_periodic(counter))
		return end_of_count(counter);
	if (counter->initial == 1 && !counter->reloads)
		return NEVER;
	if (mode_of(counter) == SQUARE && (counter->low_half || counter->reloads))
		return counter->start + half_period(counter);
	return counter->start + counter->initial;
}

/* --- GATE ----------------------------------------------------------------------------------------
 * */

static void rise_gate(struct pit_counter *counter, uint64_t now)
{
	if (is_started_by_gate(counter)) {
		if (!counter->has_count)
			return;
		if (pit_counter_out(counter, now))
			counter->one_shot = now + 1;
		load(counter, now);
		return;
	}
	counter->stopped = false;
	if (is_periodic(counter)) {
		if (counter->loaded)
			load(counter, now);
	} else {
		counter->start += now - counter->stop;
	}
}

void pit_counter_set_gate(struct pit_counter *counter, bool level, uint64_t now)
{
	if (level == counter->gate)
		return;
	counter->gate = level;
	if (level) {
		rise_gate(counter, now);
	} else if (!is_started_by_gate(counter)) {
		counter->stopped = true;
		counter->stop = now;
	}
}

/* --- control words -------------------------------------------------------------------------------
 * */

void pit_counter_set_control(struct pit_counter *counter, uint8_t control)
{
	*counter = (struct pit_counter){.control = control & CONTROL_BITS, .gate = counter->gate};
	counter->stopped = !counter->gate && !is_started_by_gate(counter);
}

/* The counting element's value, as a guest reads it. In mode 3 it goes down by two. */
static uint32_t value_in_ticks(const struct pit_counter *counter, uint64_t now)
{
	uint64_t time = own_time(counter, now);
	uint64_t passed = time > counter->start ? time - counter->start : 0;
	uint32_t even = counter->initial & ~1u, base = modulus(counter);

	if (!counter->loaded)
		return 0;
	if (mode_of(counter) == SQUARE)
		return passed < even / 2 ? (uint32_t)(even - 2 * passed) % base : 0;
	return (uint32_t)(counter->initial + base - passed % base) % base;
}

static uint16_t value(const struct pit_counter *counter, uint64_t now)
{
	uint32_t ticks = value_in_ticks(counter, now);

	if (!(counter->control & CONTROL_BCD))
		return (uint16_t)ticks;
	return (uint16_t)(ticks / 1000 << 12 | ticks / 100 % 10 << 8 | ticks / 10 % 10 << 4 |
			  ticks % 10);
}

void pit_counter_latch_count(struct pit_counter *counter, uint64_t now)
{
	if (counter->count_latched || access_of(counter) == UNPROGRAMMED)
		return;
	counter->latched_count = value(counter, now);
	counter->count_latched = true;
}

void pit_counter_latch_status(struct pit_counter *counter, uint64_t now)
{
	bool is_null = !counter->loaded || counter->reloads || now < counter->start;

	if (counter->status_latched)
		return;
	counter->latched_status = (uint8_t)((pit_counter_out(counter, now) ? STATUS_OUT : 0) |
					    (is_null ? STATUS_NULL : 0) | counter->control);
	counter->status_latched = true;
}

/* --- the counter's port --------------------------------------------------------------------------
 * */

uint8_t pit_counter_read(struct pit_counter *counter, uint64_t now)
{
	enum access access = access_of(counter);
	bool high = access == HIGH_BYTE || (access == BOTH_BYTES && counter->second_read);
	uint16_t count = counter->count_latched ? counter->latched_count : value(counter, now);

	if (counter->status_latched) {
		counter->status_latched = false;
		return counter->latched_status;
	}
	if (access == UNPROGRAMMED)
		return 0xff;
	counter->second_read = access == BOTH_BYTES && !counter->second_read;
	if (!counter->second_read)
		counter->count_latched = false;
	return (uint8_t)(high ? count >> 8 : count);
}

/* Digits above 9 count as what they are. 0 is the longest count. */
static uint32_t ticks_of(const struct pit_counter *counter, uint16_t count)
{
	uint32_t ticks = count;

	if (counter->control & CONTROL_BCD)
		ticks = (count >> 12) * 1000u + (count >> 8 & 15) * 100u + (count >> 4 & 15) * 10u +
			(count & 15);
	return ticks ? ticks : modulus(counter);
}

static void set_count(struct pit_counter *counter, uint16_t count, uint64_t now)
{
	counter->count = ticks_of(counter, count);
	counter->has_count = true;
	if (is_started_by_gate(counter) || (is_periodic(counter) && counter->loaded))
		counter->reloads = true;
	else
		load(counter, now);
}

void pit_counter_write(struct pit_counter *counter, uint8_t byte, uint64_t now)
{
	switch (access_of(counter)) {
	case LOW_BYTE:
		set_count(counter, byte, now);
		break;
	case HIGH_BYTE:
		set_count(counter, (uint16_t)(byte << 8), now);
		break;
	case BOTH_BYTES:
		counter->second_write = !counter->second_write;
		if (!counter->second_write) {
			set_count(counter, (uint16_t)(byte << 8 | counter->low_byte), now);
			break;
		}
		counter->low_byte = byte;
		if (mode_of(counter) == TERMINAL_COUNT)
			counter->loaded = counter->done = false;
		break;
	default:
		break;
	}
}

/* --- saving and restoring --------------------------------------------------------------------- */

void pit_counter_transfer(struct pit_counter *counter, struct snapshot_stream *stream)
{
	bool *const flags[] = {&counter->gate, &counter->has_count, &counter->second_write,
		&counter->second_read, &counter->loaded, &counter->reloads, &counter->stopped,
		&counter->done, &counter->low_half, &counter->count_latched,
		&counter->status_latched};

	SNAPSHOT_FIELD(stream, counter->control);
	SNAPSHOT_FIELD(stream, counter->count);
	SNAPSHOT_FIELD(stream, counter->low_byte);
	SNAPSHOT_FIELD(stream, counter->initial);
	SNAPSHOT_FIELD(stream, counter->start);
	SNAPSHOT_FIELD(stream, counter->stop);
	SNAPSHOT_FIELD(stream, counter->one_shot);
	SNAPSHOT_FIELD(stream, counter->latched_count);
	SNAPSHOT_FIELD(stream, counter->latched_status);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		snapshot_bool(stream, flags[i]);
	snapshot_check(
		stream, !(counter->control & ~CONTROL_BITS), "control word 0x%x", counter->control);
	snapshot_check(stream,
		counter->count <= BINARY_MODULUS && counter->initial <= BINARY_MODULUS,
		"counts %u and %u", counter->count, counter->initial);
	snapshot_check(stream,
		(!counter->loaded || counter->initial > 0) &&
			(!counter->has_count || counter->count > 0) &&
			(!counter->reloads || counter->has_count),
		"a count of 0");
}
