/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "log.h"

/* Neighbours with the same permission become one region: fewer slots start faster. */
static void add_region(struct memory *memory, uint64_t base, uint64_t size, bool writable)
{
	unsigned count = memory->gmem.count;

	if (count > 0 && memory->regions[count - 1].writable == writable) {
		memory->regions[count - 1].size += size;
		return;
	}
	memory->regions[memory->gmem.count++] = (struct gmem_region){
		.base = base,
		.size = size,
		.host = memory->host + base,
		.writable = writable,
	};
}

int memory_init(struct memory *memory, const struct memory_map *map)
{
	const struct memory_map_entry *last = &map->entries[map->count - 1];
	void *host;

	*memory = MEMORY_EMPTY;
	memory->size = (uint64_t)last->base + last->size;
	host = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host == MAP_FAILED) {
		say("%llu bytes of guest memory: %s", (unsigned long long)memory->size,
			strerror(errno));
		return -ENOMEM;
	}
	memory->host = host;
	memory->gmem.regions = memory->regions;
	for (unsigned i = 0; i < map->count; i++)
		add_region(memory, map->entries[i].base, map->entries[i].size,
			!(map->entries[i].flags & VOLE_MEMORY_READ_ONLY));
	return 0;
}

void memory_free(struct memory *memory)
{
	if (memory->host)
		munmap(memory->host, memory->size);
	*memory = MEMORY_EMPTY;
}

int memory_attach(const struct memory *memory, struct kvm *kvm)
{
	for (unsigned i = 0; i < memory->gmem.count; i++) {
		const struct gmem_region *region = &memory->regions[i];
		int ret = kvm_add_memory(
			kvm, region->base, region->size, region->host, !region->writable);

		if (ret < 0)
			return ret;
	}
	return 0;
}
