/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DRAIN_H
#define VMM_DRAIN_H

#include <stdbool.h>

struct vm;

/*
 * Completes the requests that the guest made before it ended: writes reach the disk, and text the
 * console, however slowly that is read; only a pseudo-terminal must be open within two seconds, and
 * read within twelve. If the guest did not end by itself, or a signal or the time-out comes
 * meanwhile, output that the host does not take at once is lost. If the machine has ended because
 * it was saved, clones complete them instead.
 *
 * Called on the I/O thread, after the loop and all vCPUs have stopped.
 */
void drain(struct vm *vm);

/* Waits until the record that the machine makes is written, or a signal or the time-out comes.
 * After recording_end(). */
void drain_record(struct vm *vm);

/* Returns whether a console or the serial port waits for the host to take output. I/O thread. */
bool output_waits(const struct vm *vm);

#endif
