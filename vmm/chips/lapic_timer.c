/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's timer (Intel SDM 3, 11.5.4). */
#include "chips/lapic_parts.h"

#define STOPPED UINT64_MAX

#define DIVIDE_BITS 0x0bu

/* LVT_TIMER's bits 17 and 18 (11.5.1). The fourth mode is reserved: the timer stands still in it.
 * */
#define MODE_SHIFT 17
enum timer_mode { ONE_SHOT = 0, PERIODIC = 1, TSC_DEADLINE = 2 };

static enum timer_mode mode_of(uint32_t entry)
{
	return (enum timer_mode)(entry >> MODE_SHIFT & 3);
}

static bool is_counting_mode(uint32_t entry)
{
	return mode_of(entry) == ONE_SHOT || mode_of(entry) == PERIODIC;
}

/* Logarithm of the divider: the register's values 0 to 6 are 2 to 128, and 7 is 1 (figure 11-10).
 * */
static unsigned divide_shift(const struct lapic *lapic)
{
	unsigned code = (lapic->timer_divide & 3) | (lapic->timer_divide >> 1 & 4);

	return (code + 1) % 8;
}

/* Nanoseconds of so many ticks; below 2^39. */
static uint64_t ticks_to_ns(const struct lapic *lapic, uint32_t ticks)
{
	return (uint64_t)ticks << divide_shift(lapic);
}

/* A time that is too far away to have a number is never. */
static uint64_t after(uint64_t now, uint64_t delay)
{
	return delay < STOPPED - now ? now + delay : STOPPED;
}

uint32_t lapic_timer_current(const struct lapic *lapic, uint64_t now)
{
	unsigned shift = divide_shift(lapic);
	uint64_t left, ticks;

	if (lapic->timer_expiry == STOPPED || lapic->timer_expiry < now)
		return 0;
	left = lapic->timer_expiry - now;
	ticks = (left >> shift) + (left & ((1u << shift) - 1) ? 1 : 0);
	return ticks < lapic->timer_initial ? (uint32_t)ticks : lapic->timer_initial;
}

void lapic_timer_set_initial(struct lapic *lapic, uint32_t value, uint64_t now)
{
	if (!is_counting_mode(lapic->lvt[LVT_TIMER]))
		return;
	lapic->timer_initial = value;
	lapic->timer_expiry = value ? after(now, ticks_to_ns(lapic, value)) : STOPPED;
}

/* The count stays, and goes on at its new pace. */
void lapic_timer_set_divide(struct lapic *lapic, uint32_t value, uint64_t now)
{
	uint32_t count = lapic_timer_current(lapic, now);

	lapic->timer_divide = value & DIVIDE_BITS;
	if (lapic->timer_expiry != STOPPED)
		lapic->timer_expiry = after(now, ticks_to_ns(lapic, count));
}

/* A change from or to TSC-deadline mode disarms the timer; one between the others does not stop the
 * count (11.5.4.1). */
void lapic_timer_set_lvt(struct lapic *lapic, uint32_t value)
{
	uint32_t old = lapic->lvt[LVT_TIMER];

	lapic->lvt[LVT_TIMER] = value;
	if (mode_of(old) == mode_of(value) || (is_counting_mode(old) && is_counting_mode(value)))
		return;
	lapic->timer_initial = 0;
	lapic->timer_expiry = STOPPED;
	lapic->timer_deadline = 0;
}

uint64_t lapic_deadline_read(struct lapic *lapic, uint64_t now)
{
	lapic_timer_advance(lapic, now);
	return lapic->timer_deadline;
}

void lapic_deadline_write(struct lapic *lapic, uint64_t deadline, uint64_t now)
{
	lapic_timer_advance(lapic, now);
	if (mode_of(lapic->lvt[LVT_TIMER]) != TSC_DEADLINE)
		return;
	lapic->timer_deadline = deadline;
	lapic_timer_advance(lapic, now);
}

uint64_t lapic_timer_next(const struct lapic *lapic)
{
	if (lapic->lvt[LVT_TIMER] & LVT_MASKED)
		return UINT64_MAX;
	return lapic->timer_deadline ? lapic->timer_deadline : lapic->timer_expiry;
}

/* The expiry of a period that ends after now. */
static uint64_t next_period(const struct lapic *lapic, uint64_t now)
{
	uint64_t period = ticks_to_ns(lapic, lapic->timer_initial);
	uint64_t into_period = (now - lapic->timer_expiry) % period;

	return after(now - into_period, period);
}

void lapic_timer_advance(struct lapic *lapic, uint64_t now)
{
	if (lapic->timer_deadline) {
		if (lapic->timer_deadline > now)
			return;
		lapic->timer_deadline = 0;
	} else {
		if (lapic->timer_expiry == STOPPED || lapic->timer_expiry > now)
			return;
		lapic->timer_expiry = mode_of(lapic->lvt[LVT_TIMER]) == PERIODIC
					      ? next_period(lapic, now)
					      : STOPPED;
	}
	lapic_deliver_local(lapic, LVT_TIMER);
}
