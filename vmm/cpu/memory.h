/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

/*
 * Guest memory: RAM and ROM, as a boot protocol laid them out. RAM is one anonymous mapping, filled
 * by the host when it is first touched, that starts at guest-physical 0. What the guest may only
 * read becomes read-only for the CPUs as well as for devices.
 */

#include <stdbool.h>
#include <stdint.h>

#include "gmem.h"

#define MEMORY_REGIONS_MAX 128

struct memory_region {
	uint32_t base;
	uint32_t size;  /* bytes, a multiple of 4096; base + size is at most 4 GiB */
	bool read_only; /* for the guest and for devices */
};

struct memory {
	uint8_t *host; /* host memory of guest-physical 0; NULL: empty */
	uint64_t size; /* bytes from guest-physical 0 to the end of the last region */
	struct gmem gmem;
	struct gmem_region regions[MEMORY_REGIONS_MAX];
};

#define MEMORY_EMPTY ((struct memory){.host = NULL})

/* Validates a size of RAM in bytes. Returns 0, or -EINVAL (said). */
int memory_validate_size(uint32_t size);

/* The same for a PC, which has RAM above 1 MiB too. protocol is the name of --boot, for the
 * message. */
int memory_validate_pc_size(uint32_t size, const char *protocol);

/*
 * Maps memory for these regions: sorted by base, disjoint, at least one. Addresses between regions
 * are not memory for the guest and cost the host none. memory must not move, because gmem points
 * into it. Returns 0, or -ENOMEM (said). The caller calls memory_free().
 */
int memory_init(struct memory *memory, const struct memory_region *regions, unsigned count);
void memory_free(struct memory *memory);

#endif
