/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FINDING_H
#define VMM_FINDING_H

/* The result of one check of `vole doctor`. */
enum finding_state { FINDING_OK, FINDING_MISSING, FINDING_SLOW };

/* Prints a line of `vole doctor` on standard output: "ok", "missing" or "slow", the subject, and
 * what that means. */
void finding(enum finding_state state, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
