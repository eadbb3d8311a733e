/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"

#include <stdbool.h>

#include "gmem.h"

/*
 * Walks a stream: sets *part to the piece of this segment that lies in the next *len bytes from
 * *offset on, and advances both past it. Returns false if there is no such byte.
 */
static bool take_part(
	const struct iovec *segment, uint64_t *offset, uint64_t *len, struct iovec *part)
{
	if (*offset >= segment->iov_len) {
		*offset -= segment->iov_len;
		return false;
	}
	part->iov_base = (uint8_t *)segment->iov_base + *offset;
	part->iov_len = segment->iov_len - *offset;
	if (part->iov_len > *len)
		part->iov_len = *len;
	*offset = 0;
	*len -= part->iov_len;
	return part->iov_len > 0;
}

size_t chain_read(const struct chain *chain, uint64_t offset, void *dst, size_t len)
{
	uint64_t left = len;
	uint8_t *to = dst;
	struct iovec part;

	for (unsigned i = 0; i < chain->readable_count && left > 0; i++) {
		if (take_part(&chain->readable[i], &offset, &left, &part)) {
			gmem_copy_in(to, part.iov_base, part.iov_len);
			to += part.iov_len;
		}
	}
	return len - left;
}

size_t chain_write(const struct chain *chain, uint64_t offset, const void *src, size_t len)
{
	uint64_t left = len;
	const uint8_t *from = src;
	struct iovec part;

	for (unsigned i = 0; i < chain->writable_count && left > 0; i++) {
		if (take_part(&chain->writable[i], &offset, &left, &part)) {
			gmem_announce(chain->gmem, part.iov_base, part.iov_len);
			gmem_copy_out(part.iov_base, from, part.iov_len);
			from += part.iov_len;
		}
	}
	return len - left;
}

static unsigned iov_slice(
	const struct iovec *iov, unsigned count, uint64_t offset, uint64_t len, struct iovec *out)
{
	unsigned parts = 0;

	for (unsigned i = 0; i < count && len > 0; i++) {
		if (take_part(&iov[i], &offset, &len, &out[parts]))
			parts++;
	}
	return parts;
}

unsigned chain_readable_slice(
	const struct chain *chain, uint64_t offset, uint64_t len, struct iovec *out)
{
	return iov_slice(chain->readable, chain->readable_count, offset, len, out);
}

unsigned chain_writable_slice(
	const struct chain *chain, uint64_t offset, uint64_t len, struct iovec *out)
{
	unsigned count = iov_slice(chain->writable, chain->writable_count, offset, len, out);

	for (unsigned i = 0; i < count; i++)
		gmem_announce(chain->gmem, out[i].iov_base, out[i].iov_len);
	return count;
}
