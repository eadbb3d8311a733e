/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SIGNALS_H
#define VMM_SIGNALS_H

/*
 * Signals. Those that would terminate vole end the machine first, in good order; but SIGQUIT has
 * the machine's state said while the guest runs. SIGWINCH tells that a terminal has a new size; by
 * SIGUSR1 the user tells that disk images have. While a job is stopped, its terminal is in the
 * state in which it was found.
 */

struct vm;

/* Blocks the signals and has the loop receive them. Called before the first thread is made, so that
 * they are blocked in all threads. Returns 0 or -errno (said). signals_close() undoes it in any
 * state, but leaves the signals blocked. */
int signals_open(struct vm *vm);
void signals_close(struct vm *vm);

/* Handles the signals that came before the machine had stopped. SIGQUIT asked it for a report, and
 * does not end vole, as one does that comes later; others are the reason for vole's end by now.
 * Called when no guest code is executed any more. */
void signals_stopped(struct vm *vm);

/* A sink_wait.moment for the readers of views' files; ctx is the struct vm. --timeout counts from
 * where the views are opened. The signal of -EINTR is vm->signal then. Called before a terminal is
 * taken, so that ^C is SIGINT. */
int signals_wait(void *ctx, unsigned ms);

/* Takes a signal that has come, without waiting. Returns 0, or -EINTR if it ends vole, which is
 * vm->signal then. Called when nothing but signals is left of the machine, or its terminal is not
 * taken yet. */
int signals_take(struct vm *vm);

/* Raises a signal that is blocked and unblocks it, so that its default action takes place, which
 * may end the process. */
void signal_let_through(int signal);

#endif
