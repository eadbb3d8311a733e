/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TIMERS_H
#define VMM_TIMERS_H

/*
 * Timers that end the machine: --timeout, and on some boards the check whether all CPUs have halted
 * for good.
 */

struct vm;

/* Starts the timers. Called before the CPUs start. Returns 0 or -errno (said). timers_close()
 * undoes it in any state. */
int timers_open(struct vm *vm);
void timers_close(struct vm *vm);

#endif
