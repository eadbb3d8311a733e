/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_START_H
#define GUEST_START_H

/*
 * The beginning and the end of a kernel.
 *
 * The ELF entry point is entry (entry.S). It calls start(), which sets up what every kernel needs:
 * exceptions that are reported, the local APIC, interrupts on; and then main(), which is the
 * kernel. What main() returns becomes vole's exit status (0 to 119).
 *
 * A loader that speaks PVH enters at pvh_entry (pvh_entry.S) instead; pvh.c then makes a start_info
 * and calls start() as well.
 *
 * main() runs on the stack that the VMM made: 16 KiB, and a store below it is caught.
 *
 * In C++, include the library's headers inside of extern "C" { }, and define main() there as well.
 */

#include <vole/start_info.h>

#include "info.h"
#include "power.h"

/* The kernel. */
int main(const struct start_info *info);

/* Called by entry. A kernel with an entry point of its own calls it in the state of the boot
 * protocol. */
int start(const struct start_info *info);

#endif
