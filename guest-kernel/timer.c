/* SPDX-License-Identifier: BSD-2-Clause */
#include "timer.h"

#include "error.h"
#include "vectors.h"
#include "x86.h"

/* Local APIC timer (Intel SDM 3, 11.5.4). */
#define APIC_LVT_TIMER     0x320
#define APIC_TIMER_INITIAL 0x380 /* writing it starts the countdown; 0 stops it */
#define APIC_TIMER_DIVIDE  0x3e0
#define LVT_PERIODIC       (1u << 17)
#define LVT_MASKED         (1u << 16)
#define DIVIDE_BY_16       0x3 /* its encoding; the count of 32 bits then spans a minute at 1 GHz */

/* More than CPUs have, so that a delay becomes longer than asked for, never shorter. */
#define TSC_KHZ_UNKNOWN 6000000

static uint32_t timer_khz, tsc_khz;

void timer_init(const struct start_info *info)
{
	timer_khz = info->apic_timer_khz;
	tsc_khz = info->tsc_khz;
}

int timer_start(uint32_t microseconds, bool periodic, irq_handler *handler, void *ctx)
{
	uint64_t count = (uint64_t)microseconds * timer_khz;

	if (!timer_khz)
		return -ENOTSUP;
	divide64(&count, 16 * 1000);
	if (!count || count > UINT32_MAX)
		return -EINVAL;

	timer_stop();
	irq_set_timer(handler, ctx);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, (periodic ? LVT_PERIODIC : 0) | (VECTOR_IRQ_FIRST + IRQ_TIMER));
	apic_write(APIC_TIMER_INITIAL, (uint32_t)count);
	return 0;
}

void timer_stop(void)
{
	apic_write(APIC_LVT_TIMER, LVT_MASKED | (VECTOR_IRQ_FIRST + IRQ_TIMER));
	apic_write(APIC_TIMER_INITIAL, 0);
	irq_set_timer(NULL, NULL); /* a tick that is pending already finds nobody */
}

void timer_delay(uint32_t microseconds)
{
	uint64_t ticks = (uint64_t)microseconds * (tsc_khz ? tsc_khz : TSC_KHZ_UNKNOWN);
	uint64_t begin = read_tsc();

	divide64(&ticks, 1000);
	while (read_tsc() - begin < ticks)
		cpu_relax();
}

uint64_t timer_microseconds(uint64_t tsc_ticks)
{
	uint64_t microseconds = tsc_ticks * 1000; /* good for years */

	if (!tsc_khz)
		return 0;
	divide64(&microseconds, tsc_khz);
	return microseconds;
}
