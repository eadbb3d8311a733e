/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_CLONE_H
#define VMM_MACHINE_CLONE_H

/*
 * `vole clone`: a machine that goes on from a checkpoint. What it is made of comes from the file,
 * and all that it has of the host comes from the command line: consoles, disks, entropy. So a file
 * of a stranger's cannot make vole open anything.
 */

#include "machine/setup.h"
#include "options.h"
#include "snapshot/file.h"
#include "snapshot/stream.h"

struct vm;

struct clone {
	struct snapshot_file file;
	struct snapshot_stream stream; /* of the file's state */
	struct setup setup;
	struct options options; /* the user's, completed by setup: strings point into it */
};

/* Opens the checkpoint that the user's options name instead of a kernel, and sets vm->options and
 * vm->boot. *clone is made; clone_free() undoes it, whatever is returned. Returns 0 or -errno
 * (said). */
int clone_open(struct vm *vm, const struct options *options);
void clone_free(struct vm *vm);

/* Has the disks, which are open, be those that the guest knows. Returns 0, or -EINVAL (said) if one
 * is another, or was written since. */
int clone_adopt_disks(struct vm *vm);

/* Maps memory from the file, once memory_init() was called. Returns 0 or -errno (said). */
int clone_map_memory(struct vm *vm);

/* Restores CPUs, chips and devices, which are made. Returns 0 or -errno (said). */
int clone_restore(struct vm *vm);

#endif
