/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/memory.h"

#include <errno.h>
#include <sys/mman.h>

#include "error_text.h"
#include "layout.h"
#include "log.h"

int memory_validate_size(uint32_t size)
{
	if (size == 0)
		say("memory size is 0");
	else if (size % PAGE_SIZE != 0)
		say("memory size %u is not a multiple of %u", size, PAGE_SIZE);
	else if (size > RAM_MAX)
		say("memory size %u is over %u (3 GiB)", size, RAM_MAX);
	else
		return 0;
	return -EINVAL;
}

int memory_validate_pc_size(uint32_t size, const char *protocol)
{
	int ret = memory_validate_size(size);

	if (ret == 0 && size <= HIGH_RAM_BASE) {
		say("memory size %u is too small: --boot %s has RAM above 1 MiB as well", size,
			protocol);
		ret = -EINVAL;
	}
	return ret;
}

/* Neighbours with the same permission become one region: fewer slots start faster. */
static void add_region(struct memory *memory, const struct memory_region *region)
{
	struct gmem_region *last =
		memory->gmem.count > 0 ? &memory->regions[memory->gmem.count - 1] : NULL;

	if (last && last->writable == !region->read_only &&
		last->base + last->size == region->base) {
		last->size += region->size;
		return;
	}
	memory->regions[memory->gmem.count++] = (struct gmem_region){
		.base = region->base,
		.size = region->size,
		.host = memory->host + region->base,
		.writable = !region->read_only,
	};
}

int memory_init(struct memory *memory, const struct memory_region *regions, unsigned count)
{
	const struct memory_region *last = &regions[count - 1];
	void *host;

	*memory = MEMORY_EMPTY;
	memory->size = (uint64_t)last->base + last->size;
	/* Pages that are never touched cost nothing, so holes may be part of the mapping. */
	host = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host == MAP_FAILED) {
		say("%llu bytes of guest memory: %s", (unsigned long long)memory->size,
			error_text(errno));
		return -ENOMEM;
	}
	/* The child that guards the terminal has no business there. Without this it would keep a
	 * copy of what the guest had. */
	madvise(host, memory->size, MADV_DONTFORK);
	memory->host = host;
	memory->gmem.regions = memory->regions;
	for (unsigned i = 0; i < count; i++)
		add_region(memory, &regions[i]);
	return 0;
}

void memory_free(struct memory *memory)
{
	if (memory->host)
		munmap(memory->host, memory->size);
	*memory = MEMORY_EMPTY;
}
