/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HANG_H
#define VMM_HANG_H

/*
 * The hang watch of --check virtio: once a second, the views are shown what waits in the queues of
 * the machine's devices, and what its CPUs do (EVENT_LOOK). With the virtual clock it is a second
 * of guest time, so that two runs are shown the same.
 */

struct vm;

/* Begins, if the user wants it. Returns 0 or -errno (said). Undone by hang_close(). */
int hang_open(struct vm *vm);
void hang_close(struct vm *vm);

/* With the virtual clock: looks, if a second is over. On the I/O thread, between two instructions
 * of the guest. */
void hang_tick(struct vm *vm);

#endif
