/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/cmos.h"

#include <string.h>

/* A month that is not all ones: SeaBIOS takes that for a machine without CMOS, which has no
 * CPUs. */
#define MONTH 0x08

#define FLOPPY_DRIVES     0x10 /* a type for each of two; 0: none */
#define KIB_ABOVE_1M      0x30 /* 16 bits, low byte first; at most 65535 */
#define KIB64_ABOVE_16M   0x34 /* 16 bits, in units of 64 KiB */
#define CPUS_BUT_THE_BOOT 0x5f

static void set16(struct cmos *cmos, unsigned index, uint32_t value)
{
	cmos->registers[index] = value & 0xff;
	cmos->registers[index + 1] = value >> 8 & 0xff;
}

void cmos_init(struct cmos *cmos, uint32_t ram_size, unsigned cpu_count)
{
	uint32_t above_1m = (ram_size - (1u << 20)) >> 10;
	uint32_t above_16m = ram_size > 16u << 20 ? (ram_size - (16u << 20)) >> 16 : 0;

	atomic_init(&cmos->index, 0);
	memset(cmos->registers, 0xff, sizeof cmos->registers);
	cmos->registers[MONTH] = 1;
	cmos->registers[FLOPPY_DRIVES] = 0;
	set16(cmos, KIB_ABOVE_1M, above_1m < 0xffff ? above_1m : 0xffff);
	set16(cmos, KIB64_ABOVE_16M, above_16m);
	cmos->registers[CPUS_BUT_THE_BOOT] = (uint8_t)(cpu_count - 1);
}

void cmos_select(struct cmos *cmos, uint8_t index)
{
	atomic_store(&cmos->index, index % CMOS_REGISTERS);
}

uint8_t cmos_read(struct cmos *cmos)
{
	return cmos->registers[atomic_load(&cmos->index)];
}
