/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DRAIN_H
#define VMM_DRAIN_H

struct vm;

/*
 * What the guest handed over just before it ended is not lost: writes reach the disk, and text the
 * console, however slowly that is read; only a pseudo-terminal must be read within two seconds. But
 * if the end is not the guest's own idea, or a signal or the time-out comes meanwhile, what is not
 * taken at once is not waited for.
 *
 * I/O thread, once the loop and all vCPUs have stopped.
 */
void drain(struct vm *vm);

#endif
