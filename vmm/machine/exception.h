/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EXCEPTION_H
#define VMM_EXCEPTION_H

/*
 * VOLE_PORT_EXCEPTION, spec/machine.md, section 4: the stubs of the IDT at entry write it, and the
 * machine ends with a report of the exception or interrupt that reached the stub.
 */

#include "machine/vm.h"

/* Reports the exception. Returns -ENXIO if it is not a stub that writes the port. */
vm_port_access exception_port;

#endif
