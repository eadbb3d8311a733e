/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_TEST_LAPICS_H
#define TESTS_TEST_LAPICS_H

/*
 * Local APICs on a bus, for tests: what they tell the CPUs is counted. The registers' offsets are
 * written as numbers in tests, as the manual has them.
 */

#include <string.h>

#include "chips/lapic.h"

#define TEST_LAPICS 4

struct test_cpu {
	unsigned wakes, nmis, smis, inits, sipis;
	uint8_t sipi_vector;
};

struct test_lapics {
	struct lapic_bus bus;
	struct lapic lapics[TEST_LAPICS];
	struct test_cpu cpus[TEST_LAPICS];
};

static inline void count_wake(void *ctx, unsigned cpu)
{
	((struct test_lapics *)ctx)->cpus[cpu].wakes++;
}

static inline void count_nmi(void *ctx, unsigned cpu)
{
	((struct test_lapics *)ctx)->cpus[cpu].nmis++;
}

static inline void count_smi(void *ctx, unsigned cpu)
{
	((struct test_lapics *)ctx)->cpus[cpu].smis++;
}

static inline void count_init(void *ctx, unsigned cpu)
{
	((struct test_lapics *)ctx)->cpus[cpu].inits++;
}

static inline void count_sipi(void *ctx, unsigned cpu, uint8_t vector)
{
	struct test_cpu *test_cpu = &((struct test_lapics *)ctx)->cpus[cpu];

	test_cpu->sipis++;
	test_cpu->sipi_vector = vector;
}

/* All as after a power-up. */
static inline void lapics_init(struct test_lapics *t)
{
	static const struct lapic_ops ops = {
		count_wake, count_nmi, count_smi, count_init, count_sipi};

	memset(t, 0, sizeof *t);
	lapic_bus_init(&t->bus, &ops, t);
	for (unsigned i = 0; i < TEST_LAPICS; i++)
		lapic_init(&t->lapics[i], &t->bus);
}

/* All enabled by software, with spurious vector 0xff. */
static inline void lapics_start(struct test_lapics *t)
{
	lapics_init(t);
	for (unsigned i = 0; i < TEST_LAPICS; i++)
		lapic_write(&t->lapics[i], 0x0f0, 0x1ff, 0);
}

/* The signals so far are forgotten. */
static inline void lapics_forget(struct test_lapics *t)
{
	memset(t->cpus, 0, sizeof t->cpus);
}

/* A bit of one of the 256-bit registers: ISR 0x100, TMR 0x180, IRR 0x200. */
static inline bool lapic_bit(struct lapic *lapic, uint32_t offset, unsigned vector)
{
	return lapic_read(lapic, offset + vector / 32 * 16, 0) >> vector % 32 & 1;
}

/* The CPUs, as a bit each, in whose IRR a vector is. */
static inline unsigned lapics_that_got(struct test_lapics *t, unsigned vector)
{
	unsigned got = 0;

	for (unsigned i = 0; i < TEST_LAPICS; i++)
		got |= (unsigned)lapic_bit(&t->lapics[i], 0x200, vector) << i;
	return got;
}

#endif
