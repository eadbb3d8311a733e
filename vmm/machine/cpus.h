/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPUS_H
#define VMM_CPUS_H

/*
 * The CPUs of the machine: the lives of their threads, and what their exits ask of the rest of it.
 */

struct vm;

/* Create as many as were asked for; undone by cpus_free() whatever is returned. 0 or -errno
 * (said). */
int cpus_make(struct vm *vm);

/* Give the boot CPU its state and start all threads. Undone by cpus_stop() whatever is returned. 0
 * or -errno (said). */
int cpus_start(struct vm *vm);

/* Once the machine is ending: returns when no thread is left. */
void cpus_stop(struct vm *vm);

void cpus_free(struct vm *vm);

#endif
