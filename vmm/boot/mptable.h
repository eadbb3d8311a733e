/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MPTABLE_H
#define VMM_MPTABLE_H

/*
 * The tables of Intel's MultiProcessor Specification ("MP"), version 1.4, by which a PC without
 * ACPI describes its CPUs and interrupt controllers: all CPUs, KVM's IOAPIC, and the sixteen
 * interrupts of an ISA bus, of which number n is pin n.
 */

#include <stdint.h>

#define MPTABLE_POINTER_LEN 16

/* Writes the table to dst, which is at guest-physical address, and the MP floating pointer
 * structure (MP 4.1), MPTABLE_POINTER_LEN bytes, to pointer. */
void mptable_write(uint8_t *dst, uint32_t address, uint8_t *pointer, unsigned cpu_count);

#endif
