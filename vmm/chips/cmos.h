/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CMOS_H
#define VMM_CMOS_H

/*
 * The clock of a PC and its battery-backed memory, behind an index and a data port (Motorola
 * MC146818 data sheet). The memory tells firmware of RAM, CPUs and that there is no floppy drive,
 * in the registers where Bochs and QEMU have them; its other registers read as all ones.
 *
 * The clock tells UTC in the format that register B chooses, and its century in register 0x32. It
 * cannot be set or stopped: writes to its time are lost, and with SET in register B it goes on. It
 * has no interrupts and no flags: alarm and enable bits read as they were written, and register C
 * reads as 0. UIP is set before the end of each second for as long as the data sheet has it, though
 * the time can be read even then.
 *
 * Writes to all other registers are lost.
 */

#include <stdatomic.h>
#include <stdint.h>

#define CMOS_INDEX 0x70 /* ports */
#define CMOS_DATA  0x71

#define CMOS_REGISTERS 128

struct cmos {
	uint64_t (*time)(void *ctx);
	void *ctx;                              /* not owned */
	atomic_uint index;                      /* CPUs may race for it, as on a PC */
	atomic_uchar registers[CMOS_REGISTERS]; /* those of the time are not used */
};

/*
 * ram_size: bytes, from 0 to the end of RAM, at least 1 MiB. time(ctx) returns nanoseconds since
 * 1970 in UTC, without leap seconds; the thread of any CPU calls it.
 */
void cmos_init(struct cmos *cmos, uint32_t ram_size, unsigned cpu_count,
	uint64_t (*time)(void *ctx), void *ctx);

/* Handles a guest's write to the index port, which selects the register of the data port. Bit 7,
 * which masks NMIs, is ignored. */
void cmos_select(struct cmos *cmos, uint8_t index);

/* Handle a guest's access to the data port. */
uint8_t cmos_read(struct cmos *cmos);
void cmos_write(struct cmos *cmos, uint8_t value);

struct snapshot_stream;

/* Transfers the index and the registers that a guest can write to or from a stream
 * (snapshot/stream.h). No CPU executes meanwhile. */
void cmos_transfer(struct cmos *cmos, struct snapshot_stream *stream);

#endif
