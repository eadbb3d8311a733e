/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

/*
 * Guest RAM: one anonymous mapping, filled by the host when it is first touched, that starts at
 * guest-physical 0. The memory map says which parts of it the guest may only read; those become
 * read-only memory slots, and regions that devices do not write.
 */

#include "boot.h"
#include "gmem.h"
#include "kvm.h"

struct memory {
	uint8_t *host; /* NULL: empty */
	uint64_t size;
	struct gmem gmem;
	struct gmem_region regions[MEMORY_MAP_MAX];
};

#define MEMORY_EMPTY ((struct memory){.host = NULL})

/* Map RAM for this map. 0, or -ENOMEM (said). Undone by memory_free(). memory must not move: gmem
 * points into it. */
int memory_init(struct memory *memory, const struct memory_map *map);
void memory_free(struct memory *memory);

/* Make the VM see it. 0, or -errno as kvm_add_memory(). */
int memory_attach(const struct memory *memory, struct kvm *kvm);

#endif
