/* SPDX-License-Identifier: BSD-2-Clause */
#include "gmem.h"

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

void *gmem_ptr(const struct gmem *gm, gpa_t gpa, uint64_t len, enum gmem_access access)
{
	const struct gmem_region *region = region_find(gm, gpa), *end;
	uint64_t room;
	uint8_t *host;

	if (!region || len == 0)
		return NULL;
	host = region->host + (gpa - region->base);
	room = region->size - (gpa - region->base);
	end = gm->regions + gm->count;

	/* Nothing is added to gpa, so nothing can wrap: what a region holds is taken off len. */
	for (;;) {
		if (access == GMEM_WRITE && !region->writable)
			return NULL;
		if (len <= room)
			return host;
		len -= room;
		if (region + 1 == end || !regions_touch(region, region + 1))
			return NULL;
		region++;
		room = region->size;
	}
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
