/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TIMERS_H
#define VMM_TIMERS_H

/*
 * What ends the machine by the clock: --timeout, and on some boards that all CPUs have halted for
 * good.
 */

struct vm;

/* Before the CPUs start. Undone by timers_close() in any state. 0 or -errno (said). */
int timers_open(struct vm *vm);
void timers_close(struct vm *vm);

#endif
