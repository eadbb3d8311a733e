/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_UNDO_H
#define VMM_UNDO_H

/* What was on disks before it was written, so that they can be made what they were. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend.h"

struct undo_write;

struct undo {
	struct undo_write *last; /* the others follow it, each older than the one before. Owned */
	uint64_t count;          /* that were noted since the beginning, without those undone */
	uint64_t used;           /* bytes */
	bool has_failed; /* something could not be noted or undone: nothing before it can be had */
};

/* Notes what a range has, which is about to be written. */
void undo_note(struct undo *undo, struct block_backend *disk, uint64_t offset, uint64_t len);

/*
 * Undoes all writes but the first so many, the last one first. Returns 0, or -errno of a host that
 * does not write what was there, and sets *failed to the disk: then all disks are as before, and
 * so is undo, or has_failed is set, and they are as at no moment.
 */
int undo_back_to(struct undo *undo, uint64_t count, struct block_backend **failed);

/* Forgets the first so many, which are not to be undone any more. */
void undo_forget(struct undo *undo, uint64_t count);

void undo_free(struct undo *undo);

#endif
