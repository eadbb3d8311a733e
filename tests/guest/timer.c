/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes as many interrupts of the local APIC's timer as the command line says, or 10; first one by
 * one, then periodic. Prints "N + N ticks". Exit status 0.
 */

#include <stdatomic.h>

#include "check.h"
#include "timer.h"
#include "x86.h"

static void tick(void *ctx)
{
	atomic_uint *ticks = ctx;

	atomic_fetch_add(ticks, 1);
}

static void wait_for(atomic_uint *ticks, unsigned count)
{
	uint32_t eflags = interrupts_off();

	while (atomic_load(ticks) < count)
		irq_wait();
	interrupts_restore(eflags);
}

int main(const struct start_info *info)
{
	const uint32_t count = cmdline_number(info, 10);
	atomic_uint single = 0, periodic = 0;

	for (uint32_t i = 1; i <= count; i++) {
		check(timer_start(500, false, tick, &single) == 0, "one-shot timer starts");
		wait_for(&single, i);
	}
	check(timer_start(1000, true, tick, &periodic) == 0, "periodic timer starts");
	wait_for(&periodic, count);
	timer_stop();
	check(atomic_load(&single) == count, "one-shot timers tick once");
	check(timer_start(0, false, tick, &single) < 0, "no time at all is refused");
	printf("%u + %u ticks\n", count, count);
	return check_done();
}
