/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LEAVE_H
#define VMM_LEAVE_H

#include <stddef.h>

/*
 * Ends the process from a signal's handler, on any thread, whatever the others do: writes a line,
 * with its newline, to standard error; closes all descriptors, upon which the helpers (io/helper.h)
 * restore the terminal and remove sockets; and exits once they have, or after a second.
 */
_Noreturn void leave_at_once(const char *line, size_t len, int status);

#endif
