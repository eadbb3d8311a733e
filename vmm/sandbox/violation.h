/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_VIOLATION_H
#define VMM_SANDBOX_VIOLATION_H

/*
 * What happens at a forbidden system call: the kernel does not make it and sends SIGSYS to the
 * thread (SECCOMP_RET_TRAP).
 *
 * By default, one line on standard error names the call, and the process ends (leave.h) with
 * EXIT_STATUS_SANDBOX. With is_logged, a line names the call, and the call is made all the same.
 *
 * One call is answered: the C library's fstat() may be newfstatat(2) with an empty path, which
 * cannot be told from one with a path by a filter. It is done by fstat(2).
 */

#include <stdbool.h>

/* Handles SIGSYS from now on. Returns 0 or -errno. */
int violation_catch(bool is_logged);

/* The end of the instruction by which calls are made that were logged, for filter_assemble(). */
extern const char violation_exempt[];

#endif
