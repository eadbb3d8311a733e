/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OVERLAY_H
#define VMM_OVERLAY_H

/*
 * A private layer over a disk: what is written goes to a file in memory (memfd_create(2)), and is
 * gone with it. The disk below is read alone, so any number of machines can share it. Blocks of
 * OVERLAY_BLOCK bytes are copied when they are first written.
 *
 * All functions of the back end are called by one thread at a time, as those of any disk.
 */

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

#define OVERLAY_BLOCK 4096

struct overlay {
	struct block_backend backend; /* what the device sees */
	struct block_backend *base;   /* the disk below; not owned */
	const char *path;             /* its name, for messages; not owned */
	int fd;                       /* the file in memory; -1: empty */
	uint64_t *written;            /* a bit for each block that is in the file ... */
	uint64_t base_len; /* ... which all from so many bytes on are: there is no disk below */
	bool said;         /* an error was reported, which happens once */
};

#define OVERLAY_EMPTY ((struct overlay){.fd = -1})

/* Makes a layer over a disk that is open: as large, with the same name and blocks, and writable.
 * Returns 0 or -errno (said). The caller calls overlay_close() whatever is returned. */
int overlay_open(struct overlay *overlay, struct block_backend *base, const char *path);

/* Has the disk have so many sectors from now on. What is added reads as zeroes. Returns 0 or -errno
 * (said): then it is as it was. */
int overlay_resize(struct overlay *overlay, uint64_t sectors);
void overlay_close(struct overlay *overlay);

#endif
