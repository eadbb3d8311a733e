/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CMOS_H
#define VMM_CMOS_H

/*
 * The battery-backed memory of a PC, behind an index and a data port. Only what firmware must be
 * told is there: RAM, CPUs and that there is no floppy drive, in the registers where Bochs and QEMU
 * have them. All others read as all ones, as if nobody answered, and writes are lost. There is no
 * clock.
 */

#include <stdatomic.h>
#include <stdint.h>

#define CMOS_REGISTERS 128

struct cmos {
	atomic_uint index; /* CPUs may race for it, as on a PC */
	uint8_t registers[CMOS_REGISTERS];
};

/* ram_size: bytes, from 0 to the end of RAM, at least 1 MiB. */
void cmos_init(struct cmos *cmos, uint32_t ram_size, unsigned cpu_count);

/* A write to the index port: which register the data port reads. Bit 7, which masks NMIs, is
 * ignored. */
void cmos_select(struct cmos *cmos, uint8_t index);
uint8_t cmos_read(struct cmos *cmos);

#endif
