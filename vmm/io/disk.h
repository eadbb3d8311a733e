/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DISK_H
#define VMM_DISK_H

/*
 * A disk image: a raw file or a block device. It is locked while it is open, so that two machines
 * never write it, and none reads what another writes.
 */

#include "backend.h"
#include "options.h"

/* Largest physical block size that we believe, in bytes. */
#define DISK_UNIT_MAX (1u << 20)

struct disk {
	struct block_backend backend;
	const char *path; /* not owned */
	int fd;           /* -1: empty */
	bool said;        /* an I/O error of this file was reported, which happens once */
	int flush_error;  /* -errno of the flush that failed, and of all after it; 0: none did */
};

#define DISK_EMPTY ((struct disk){.fd = -1})

/*
 * Opens and locks a disk image. index is the number of the disk in the machine, for the ID of a
 * disk without a serial number. Returns 0, or -errno (said): -EINVAL for a file that is no disk
 * image, -EBUSY if another vole has it open. The caller calls disk_close() whatever is returned.
 */
int disk_open(struct disk *disk, const struct disk_options *options, unsigned index);
void disk_close(struct disk *disk);

/*
 * Reads the size of the image again and updates backend.capacity, which the caller then tells to
 * the device. A change is said, and so is a size that a disk cannot have, which changes nothing.
 *   1        changed
 *   0        unchanged
 *   -errno   as disk_open()
 */
int disk_refresh_size(struct disk *disk);

#endif
