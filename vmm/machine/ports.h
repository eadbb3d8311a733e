/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PORTS_H
#define VMM_PORTS_H

/*
 * The I/O ports of the machine. Board and options decide which of them exist. ports.c implements
 * debug console, exit, CMOS and the PC's reset; the other ports have files of their own.
 */

#include "machine/vm.h"

/* Fills vm->ports. Called after the devices were added. */
void ports_add(struct vm *vm);

/* Handles an access to any port. Returns 0, or -ENXIO if there is no such port, or none that
 * permits such an access. */
vm_port_access ports_access;

/* Returns the accesses that a port permits, "writes of 4 bytes", or NULL if there is no such port.
 * Any thread. */
const char *ports_takes(struct cpu *cpu, uint16_t port);

#endif
