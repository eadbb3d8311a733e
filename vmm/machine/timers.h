/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TIMERS_H
#define VMM_TIMERS_H

/*
 * The timer that ends the machine: --timeout.
 */

struct vm;

/* Starts the timer, if there is one. Called before the CPUs start. Returns 0 or -errno (said).
 * timers_close() undoes it in any state. */
int timers_open(struct vm *vm);
void timers_close(struct vm *vm);

#endif
