/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STATE_REPORT_H
#define VMM_STATE_REPORT_H

/*
 * Says the machine's state on standard error: when it ends because time is over or it has halted
 * for good, and when the user asks. I/O thread.
 */

struct vm;

/* Prepares for requests. Before the CPUs start. Returns 0 or -errno (said). state_report_close()
 * undoes it in any state. */
int state_report_open(struct vm *vm);
void state_report_close(struct vm *vm);

/* Has the state said soon, and the screen shown, without ending the machine: what devices have been
 * told of before is served first. Pauses the CPUs meanwhile. Ignored if the machine is ending. */
void state_report_request(struct vm *vm);

/* Says the state of a machine that has ended, and of which nobody knows why it did not do so by
 * itself. After engine_ops.stop(), before drain(). */
void state_report_end(struct vm *vm);

#endif
