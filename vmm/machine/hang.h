/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HANG_H
#define VMM_HANG_H

/*
 * The hang watch of --check virtio: once a second the machine is looked at, and views are shown what
 * it waits for (EVENT_LOOK).
 */

struct vm;

/* Begins, if the user wants it. Returns 0 or -errno (said). Undone by hang_close(). */
int hang_open(struct vm *vm);
void hang_close(struct vm *vm);

#endif
