/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

/*
 * Guest memory: RAM and ROM, as a boot protocol laid them out. RAM is one anonymous mapping, filled
 * by the host when it is first touched, that starts at guest-physical 0. What the guest may only
 * read becomes read-only memory slots, and regions that devices do not write.
 */

#include <stdbool.h>
#include <stdint.h>

#include "gmem.h"

struct kvm;

#define MEMORY_REGIONS_MAX 128

struct memory_region {
	uint32_t base;
	uint32_t size;  /* bytes, a multiple of 4096; base + size does not wrap but to 0 */
	bool read_only; /* for the guest and for devices */
};

struct memory {
	uint8_t *host; /* of guest-physical 0; NULL: empty */
	uint64_t size; /* from 0 to the end of the last region */
	struct gmem gmem;
	struct gmem_region regions[MEMORY_REGIONS_MAX];
};

#define MEMORY_EMPTY ((struct memory){.host = NULL})

/* Is this a size that RAM can have? 0, or -EINVAL (said). */
int memory_judge_size(uint32_t size);

/*
 * Map memory for these regions: sorted by base, disjoint, at least one. What lies between regions
 * is address space that the guest does not have, and that costs the host nothing. 0, or -ENOMEM
 * (said). Undone by memory_free(). memory must not move: gmem points into it.
 */
int memory_init(struct memory *memory, const struct memory_region *regions, unsigned count);
void memory_free(struct memory *memory);

/* Make the VM see it. 0, or -errno as kvm_add_memory(). */
int memory_attach(const struct memory *memory, struct kvm *kvm);

#endif
