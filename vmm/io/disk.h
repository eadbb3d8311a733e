/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DISK_H
#define VMM_DISK_H

/*
 * A disk image: a raw file or a block device. It is locked while it is open, so that two machines
 * never write it, and none reads what another writes.
 */

#include "backend.h"
#include "options.h"

struct disk {
	struct block_backend backend;
	const char *path; /* not owned */
	int fd;           /* -1: empty */
	bool said;        /* an error of this file was reported: once is enough */
};

#define DISK_EMPTY ((struct disk){.fd = -1})

/*
 * Open and lock. index numbers the machine's disks, for the ID of one without a serial. Undone by
 * disk_close() whatever is returned. 0, or -errno (said): -EINVAL for a file that is no disk image,
 * -EBUSY if another vole has it.
 */
int disk_open(struct disk *disk, const struct disk_options *options, unsigned index);
void disk_close(struct disk *disk);

/*
 * The image may have another size by now. Whether it does is said, and backend.capacity is the new
 * one: the device is to be told. What is no size for a disk is said and changes nothing.
 *   1        changed
 *   0        as it was
 *   -errno   as disk_open()
 */
int disk_refresh_size(struct disk *disk);

#endif
