/* SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#define CPUS_MAX 8 /* of the kernels, CONFIG_NR_CPUS */

/* One bit for each CPU that a program may run on. */
static unsigned long usable(void)
{
	unsigned long mask = 0;

	return SYS3(__NR_sched_getaffinity, 0, sizeof mask, &mask) > 0 ? mask : 0;
}

static bool runs_on(unsigned cpu)
{
	unsigned long mask = 1ul << cpu;
	unsigned where = ~0u;

	return SYS3(__NR_sched_setaffinity, 0, sizeof mask, &mask) == 0 &&
	       SYS3(__NR_getcpu, &where, NULL, NULL) == 0 && where == cpu;
}

/* Have the CPU take the interrupts of devices. How many there are that let themselves be moved. */
static unsigned move_interrupts(unsigned cpu)
{
	unsigned moved = 0;
	char path[LINE], mask[LINE];

	for (unsigned irq = 3; irq < 16; irq++) {
		format(path, sizeof path, "/proc/irq/%u/smp_affinity", irq);
		format(mask, sizeof mask, "%x", 1u << cpu);
		moved += write_file(path, mask) == 0;
	}
	return moved;
}

void test_cpus(void)
{
	unsigned long all = usable();
	unsigned count = 0, good = 0;

	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (!(all >> cpu & 1))
			continue;
		count++;
		good += runs_on(cpu);
	}
	ok(count == numeric_setting("cpus", 1), "cpus: there are %u", count);
	ok(good == count, "cpus: a program runs on each, %u of %u", good, count);
	SYS3(__NR_sched_setaffinity, 0, sizeof all, &all);
	if (count > 1)
		ok(move_interrupts(count - 1) > 0,
			"cpus: the last one takes the devices' interrupts");
}
