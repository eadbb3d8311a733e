/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_TIMER_H
#define GUEST_TIMER_H

/* Time: the local APIC's timer for interrupts, the time-stamp counter for short delays. */

#include <stdbool.h>
#include <stdint.h>

#include <vole/start_info.h>

#include "irq.h"

void timer_init(const struct start_info *info);

/*
 * Boot CPU: have handler(ctx) called as an interrupt after that many microseconds, once or again
 * and again. Replaces what was started before. 0, or -EINVAL if the timer cannot count that, or
 * -ENOTSUP if start_info does not tell its frequency.
 */
int timer_start(uint32_t microseconds, bool periodic, irq_handler *handler, void *ctx);

/* No more interrupts after this. */
void timer_stop(void);

/* Wait at least that long, awake. */
void timer_delay(uint32_t microseconds);

/* Microseconds that a difference of two read_tsc() is; 0 if start_info does not tell. */
uint64_t timer_microseconds(uint64_t tsc_ticks);

#endif
