/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_NAMES_H
#define VMM_SANDBOX_NAMES_H

/* Returns the name of a system call of this architecture, "openat"; NULL if the headers with which
 * vole was built have no such call. Async-signal-safe. */
const char *call_name(unsigned long number);

#endif
