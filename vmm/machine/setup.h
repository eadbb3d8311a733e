/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_SETUP_H
#define VMM_MACHINE_SETUP_H

/*
 * What a machine was made with, as a checkpoint keeps it: the board, memory, the devices and what
 * their drivers were told of them. It names nothing of the host's to open: consoles, disks and
 * entropy of a clone are those of its own command line.
 */

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot.h"
#include "console.h"
#include "cpu/memory.h"
#include "feature_choice.h"
#include "options.h"

#define SETUP_ENGINE_SIZE  8
#define SETUP_DISK_ID_SIZE 21 /* VIRTIO_BLK_ID_BYTES, and a NUL */

struct setup_disk {
	char id[SETUP_DISK_ID_SIZE];
	uint32_t block_size, unit; /* bytes, as struct block_backend has them */
	uint64_t sectors;
	uint32_t queue_count;
	bool read_only, can_unmap;
	struct feature_choice features;

	/* When the file was written last, by the host's clock; both 0 for a block device. */
	int64_t modified_s;
	uint32_t modified_ns;
};

struct setup {
	char engine[SETUP_ENGINE_SIZE];
	uint32_t clock; /* enum engine_clock */
	uint32_t cpu_count;
	uint32_t protocol;                    /* boot_protocol_find() */
	uint32_t memory_size;                 /* as the user gave it */
	uint32_t cpu_return, exception_stubs; /* as struct boot has them */
	bool has_debug_port;
	uint16_t debug_port;
	uint32_t region_count;
	struct memory_region regions[MEMORY_REGIONS_MAX];

	uint32_t console_count;
	bool multiport;
	bool console_has_name[VIRTIO_CONSOLE_PORTS_MAX];
	char console_names[VIRTIO_CONSOLE_PORTS_MAX][VIRTIO_CONSOLE_NAME_MAX + 1];
	bool has_serial, has_rng;
	struct feature_choice features, console_features, rng_features;
	uint32_t disk_count;
	struct setup_disk disks[DISKS_MAX];
};

struct disk;
struct snapshot_stream;
struct vm;

/* Sets *setup to that of a machine. */
void setup_of(const struct vm *vm, struct setup *setup);

/* Sets when the file of an open disk was written last. Returns 0 or -errno. */
int setup_disk_modified(const struct disk *disk, int64_t *seconds, uint32_t *nanoseconds);

/* Transfers what reports need of a machine's image: where it is loaded, its symbols. */
void setup_transfer_image(struct boot *boot, struct snapshot_stream *stream);

/* Transfers it to or from a stream. What is read is validated, so that a machine can be made with
 * it. */
void setup_transfer(struct setup *setup, struct snapshot_stream *stream);

#endif
