/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAST_H
#define VMM_LAST_H

/*
 * Says the instructions that CPUs executed last (--last): of the CPU that has crashed, or of all if
 * none has.
 */

struct options;
struct vm;

/* Returns how many steps of each CPU an engine is to keep for that; 0: none. */
unsigned last_kept(const struct options *options);

/* I/O thread, after engine_ops.stop(). Says nothing unless it was asked for. */
void last_say(struct vm *vm);

#endif
