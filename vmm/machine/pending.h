/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PENDING_H
#define VMM_PENDING_H

/* Signals that wait for the I/O thread to take them (machine/signals.h). It alone takes them; other
 * threads may look. */

#include <stdbool.h>

/* Returns whether a signal asks for the end of the machine, whatever state it is in. */
bool signal_ends(int signal);

/* Returns the first signal that waits and is_wanted, or 0. */
int pending_signal(bool (*is_wanted)(int signal));

#endif
