/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CHAIN_H
#define VIRTIO_CHAIN_H

/*
 * A descriptor chain as two streams of bytes: one that the device reads and one that it writes. How
 * the driver cut them into descriptors has no meaning (virtio 2.7.4.1), so a device never looks at
 * a segment; it copies, or takes a slice of a stream for preadv(2) and the like.
 *
 * A device writes guest memory through these functions alone, so that the observer of struct gmem
 * hears of it, also when the device has held the chain while the guest ran.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct gmem;

struct chain {
	const struct gmem *gmem;      /* where the segments lie; not owned */
	uint16_t id;                  /* the driver's name for it (virtio 2.7.8, 2.8.6) */
	uint16_t slots;               /* number of positions that it takes when it is given back:
				       * slots of a packed ring, 1 in a split one */
	const struct iovec *readable; /* host segments in guest memory, already checked */
	const struct iovec *writable;
	unsigned readable_count, writable_count;
	uint64_t readable_len, writable_len; /* bytes */
};

/* Copies from the readable stream, from byte offset on, to dst. Returns the number of bytes copied,
 * less than len at the end of the stream. */
size_t chain_read(const struct chain *chain, uint64_t offset, void *dst, size_t len);

/* Copies from src into the writable stream, from byte offset on. Returns the number of bytes
 * copied, less than len at the end of the stream. */
size_t chain_write(const struct chain *chain, uint64_t offset, const void *src, size_t len);

/*
 * Set out to the segments that make up bytes [offset, offset + len) of a stream; out must hold as
 * many segments as the stream has. Return the number of segments. They have fewer bytes than len if
 * the stream ends before. Segments from chain_writable_slice() may be written until the guest runs
 * again.
 */
unsigned chain_readable_slice(
	const struct chain *chain, uint64_t offset, uint64_t len, struct iovec *out);
unsigned chain_writable_slice(
	const struct chain *chain, uint64_t offset, uint64_t len, struct iovec *out);

#endif
