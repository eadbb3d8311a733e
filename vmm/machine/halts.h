/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HALTS_H
#define VMM_HALTS_H

/*
 * Ends a machine whose CPUs have all halted for good, that is with interrupts off, where its board
 * says so.
 *
 * An engine that executes guest code on the I/O thread is looked at when it has nothing to execute.
 * KVM does not tell that a CPU has halted, so now and then its CPUs are asked: seldom while they
 * execute; when all of them sleep, until the next timer or interrupt not at all. On a PC KVM has a
 * timer of its own, and they are asked four times a second.
 */

struct vm;

/* Begins to look. Before the CPUs start. Returns 0 or -errno (said). halts_close() undoes it in any
 * state. */
int halts_open(struct vm *vm);
void halts_close(struct vm *vm);

/* Has CPUs looked at again that sleep now, because one of them is being interrupted. Any thread. */
void halts_interrupted(struct vm *vm);

/* Looks at once, for an engine that executes guest code on the I/O thread. I/O thread. */
void halts_look(struct vm *vm);

/* Says that the machine has ended because its CPUs have halted, and where. After engine_ops.stop().
 */
void halts_report(struct vm *vm);

#endif
