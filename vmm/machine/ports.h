/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PORTS_H
#define VMM_PORTS_H

/*
 * The ports of the machine: which of them somebody answers is the board's and the user's choice.
 * Debug console, exit, CMOS and the PC's reset are answered here, others by their own files.
 */

#include "machine/vm.h"

/* Fill vm->ports. After the devices. */
void ports_add(struct vm *vm);

/* An access to any port. 0, or -ENXIO if nobody answers it. */
vm_port_access ports_access;

#endif
