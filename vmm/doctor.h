/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DOCTOR_H
#define VMM_DOCTOR_H

/*
 * `vole doctor`: does this host have what vole needs, and if not, what to do about it. One line per
 * finding on standard output: "ok", "missing" or "slow", what it is about, and what it means.
 * Returns the exit status: 0 if `vole run` can work here, else EXIT_STATUS_VOLE.
 */
int doctor(void);

#endif
