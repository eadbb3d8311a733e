/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_KEEPER_H
#define VMM_MACHINE_KEEPER_H

/*
 * `--checkpoint unix:PATH`: the checkpoint is in vole's memory, and vole stays, once the machine
 * has ended by being saved, to hand it over to each clone that connects (snapshot/handover.h).
 * Clones that connect earlier wait in the kernel's queue.
 */

#include <stdbool.h>

struct vm;

/* Opens the socket at which clones wait. Returns the descriptor of a file for the checkpoint, which
 * the caller closes, or -errno (said). keeper_close() undoes the socket, in any state. */
int keeper_open(struct vm *vm);
void keeper_close(struct vm *vm);

/* Returns whether clones get the checkpoint at a socket. */
bool keeper_is_open(const struct vm *vm);

/* Hands the checkpoint over until a signal ends vole, which is vm->signal then. Does nothing if
 * there is none to hand over. Called when all of the machine but its signals is undone: its
 * disks are the clones'. */
void keeper_serve(struct vm *vm);

#endif
