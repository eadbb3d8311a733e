/* SPDX-License-Identifier: BSD-2-Clause */
/* What the CMOS tells firmware of RAM and CPUs. */
#include "chips/cmos.h"

#include <stddef.h>

#include "../tap.h"

#define MIB (1u << 20)

static uint8_t get(struct cmos *cmos, uint8_t index)
{
	cmos_select(cmos, index);
	return cmos_read(cmos);
}

static unsigned get16(struct cmos *cmos, uint8_t index)
{
	return get(cmos, index) | get(cmos, index + 1) << 8;
}

int main(void)
{
	static const struct {
		uint32_t ram;
		unsigned kib_above_1m, units_above_16m; /* a unit is 64 KiB */
	} cases[] = {
		{1 * MIB, 0, 0},
		{1 * MIB + 4096, 4, 0},
		{16 * MIB, 15 * 1024, 0},
		{16 * MIB + 0xf000, 15 * 1024 + 60, 0},
		{16 * MIB + 0x10000, 15 * 1024 + 64, 1},
		{64 * MIB, 63 * 1024, 48 * 16},
		{65 * MIB, 0xffff, 49 * 16},
		{3072 * MIB, 0xffff, 3056 * 16},
	};
	struct cmos cmos;
	unsigned others = 0;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cmos_init(&cmos, cases[i].ram, 1);
		is(get16(&cmos, 0x30), cases[i].kib_above_1m, "%u KiB of RAM: KiB above 1 MiB",
			cases[i].ram >> 10);
		is(get16(&cmos, 0x34), cases[i].units_above_16m,
			"%u KiB of RAM: 64 KiB units above 16 MiB", cases[i].ram >> 10);
	}
	for (unsigned cpus = 1; cpus <= 64; cpus *= 4) {
		cmos_init(&cmos, 64 * MIB, cpus);
		is(get(&cmos, 0x5f), cpus - 1, "CPUs besides the first: %u", cpus - 1);
	}
	is(get(&cmos, 0xdf), get(&cmos, 0x5f), "bit 7 of the index does not count");
	is(get(&cmos, 0x10), 0, "no floppy drives");
	ok(get(&cmos, 0x08) != 0xff, "there is a CMOS: the month is not all ones");
	for (unsigned index = 0; index < CMOS_REGISTERS; index++)
		others += get(&cmos, (uint8_t)index) != 0xff;
	ok(others <= 7, "nothing else is told: other registers are all ones");
	return tap_done();
}
