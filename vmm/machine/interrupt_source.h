/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_INTERRUPT_SOURCE_H
#define VMM_INTERRUPT_SOURCE_H

/*
 * Where an interrupt came from, by its vector and the redirection entries of the machine's IOAPIC
 * as they are now: for cpu_host.interrupt_source().
 */

#include "cpu/cpu.h"

struct vm;

/* Returns what is connected to a pin of the machine's IOAPIC: "block"; NULL: nothing. Any
 * thread. */
const char *interrupt_pin_owner(const struct vm *vm, unsigned pin);

/* Describes the pins that send interrupts with this vector, or NMIs (vector 2): "pin 3 (block)", or
 * that there are none. Returns false if the IOAPIC is not the machine's own. Any thread. */
bool interrupt_source(struct cpu *cpu, unsigned vector, char *text, size_t size);

#endif
