/* SPDX-License-Identifier: BSD-2-Clause */
#include "gmem.h"

#include <assert.h>
#include <errno.h>

/* The region that gpa lies in, or NULL. A machine has a handful of them. */
static const struct gmem_region *region_find(const struct gmem *gm, gpa_t gpa)
{
	for (unsigned i = 0; i < gm->count; i++) {
		const struct gmem_region *region = &gm->regions[i];

		if (gpa >= region->base && gpa - region->base < region->size)
			return region;
	}
	return NULL;
}

/* Whether b begins where a ends, for the guest and for the host. */
static bool regions_touch(const struct gmem_region *a, const struct gmem_region *b)
{
	return b->base == a->base + a->size && b->host == a->host + a->size;
}

/* The range may span regions: the observer is told of the part in each. */
void *gmem_tell_observer(const struct gmem *gm, void *host, uint64_t len)
{
	uintptr_t begin = (uintptr_t)host, end = begin + len;

	for (unsigned i = 0; i < gm->count; i++) {
		const struct gmem_region *region = &gm->regions[i];
		uintptr_t first = (uintptr_t)region->host, last = first + region->size;

		if (first < begin)
			first = begin;
		if (last > end)
			last = end;
		if (first < last)
			gm->written(gm->written_ctx,
				region->base + (first - (uintptr_t)region->host), last - first);
	}
	return host;
}

gpa_t gmem_address(const struct gmem *gm, const void *host)
{
	uintptr_t at = (uintptr_t)host;

	for (unsigned i = 0; i < gm->count; i++) {
		const struct gmem_region *region = &gm->regions[i];

		if (at - (uintptr_t)region->host < region->size)
			return region->base + (at - (uintptr_t)region->host);
	}
	assert(!"host memory of the guest");
	return 0;
}

/* Whether the regions that follow go on where region ends, for len bytes, and permit access.
 * No sum can wrap: nothing is added to an address, what a region holds is subtracted from len. */
static bool goes_on(const struct gmem *gm, const struct gmem_region *region, uint64_t len,
	enum gmem_access access)
{
	const struct gmem_region *end = gm->regions + gm->count;

	while (region + 1 < end && regions_touch(region, region + 1)) {
		region++;
		if (access == GMEM_WRITE && !region->writable)
			return false;
		if (len <= region->size)
			return true;
		len -= region->size;
	}
	return false;
}

void *gmem_ptr(const struct gmem *gm, gpa_t gpa, uint64_t len, enum gmem_access access)
{
	const struct gmem_region *region = region_find(gm, gpa);
	uint64_t offset, available;

	if (!region || len == 0 || (access == GMEM_WRITE && !region->writable))
		return NULL;
	offset = gpa - region->base;
	available = region->size - offset;
	if (len > available && !goes_on(gm, region, len - available, access))
		return NULL;
	return access == GMEM_READ ? region->host + offset
				   : gmem_announce(gm, region->host + offset, len);
}

int gmem_read(const struct gmem *gm, gpa_t gpa, void *dst, size_t len)
{
	const void *src = gmem_ptr(gm, gpa, len, GMEM_READ);

	if (!src)
		return -EFAULT;
	gmem_copy_in(dst, src, len);
	return 0;
}

int gmem_write(const struct gmem *gm, gpa_t gpa, const void *src, size_t len)
{
	void *dst = gmem_ptr(gm, gpa, len, GMEM_WRITE);

	if (!dst)
		return -EFAULT;
	gmem_copy_out(dst, src, len);
	return 0;
}
