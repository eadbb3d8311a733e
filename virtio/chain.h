/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CHAIN_H
#define VIRTIO_CHAIN_H

/*
 * A descriptor chain as two streams of bytes: one that the device reads and one that it writes. How
 * the driver cut them into descriptors has no meaning (virtio 2.7.4.1), so a device never looks at
 * a segment; it copies, or takes a slice of a stream for preadv(2) and the like.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct chain {
	uint16_t id;                  /* the driver's name for it (virtio 2.7.8, 2.8.6) */
	uint16_t slots;               /* of a packed ring: how many it takes there */
	const struct iovec *readable; /* host segments in guest memory, already checked */
	const struct iovec *writable;
	unsigned readable_count, writable_count;
	uint64_t readable_len, writable_len; /* bytes */
};

/* Copy out of the readable stream from byte offset on. Bytes copied: less than len at its end. */
size_t chain_read(const struct chain *chain, uint64_t offset, void *dst, size_t len);

/* Copy into the writable stream from byte offset on. Bytes copied: less than len at its end. */
size_t chain_write(const struct chain *chain, uint64_t offset, const void *src, size_t len);

/*
 * Segments that make up bytes [offset, offset + len) of iov[0..count). out has room for count
 * segments. Returns how many there are; fewer bytes than len if the stream ends before.
 */
unsigned iov_slice(
	const struct iovec *iov, unsigned count, uint64_t offset, uint64_t len, struct iovec *out);

#endif
