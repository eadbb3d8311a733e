/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MPTABLE_H
#define VMM_MPTABLE_H

/*
 * How a PC without ACPI says which CPUs and interrupt controllers it has: the tables of Intel's
 * MultiProcessor Specification ("MP"), version 1.4. All CPUs, KVM's IOAPIC, and the sixteen
 * interrupts of an ISA bus, of which number n is pin n.
 */

#include <stdint.h>

#define MPTABLE_POINTER_LEN 16

/* Write the table to dst, which has room, and to pointer, 16 bytes, what points to it: the guest
 * has dst at address. */
void mptable_write(uint8_t *dst, uint32_t address, uint8_t *pointer, unsigned cpu_count);

#endif
