/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SIGNALS_H
#define VMM_SIGNALS_H

/*
 * Signals: those that would end vole end the machine first, in good order; a terminal tells of its
 * new size by one, and the user by SIGUSR1 that images of disks have one. While a job is stopped
 * its terminal is as it was found.
 */

struct vm;

/* Hold back the one that would end vole though it asks for something else: first of all. */
void signals_hold(void);

/* Block them and have the loop hear of them: before the first thread is made, so that they are
 * blocked in all. Undone, but for the blocking, by signals_close() in any state. 0 or -errno
 * (said). */
int signals_open(struct vm *vm);
void signals_close(struct vm *vm);

/* Let this one, which is blocked, do to the process what it would have done. It is not blocked
 * afterwards, if there is an afterwards. */
void signal_let_through(int signal);

#endif
