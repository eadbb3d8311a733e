/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_GMEM_H
#define VIRTIO_GMEM_H

/*
 * Guest memory as devices see it, and the only way to it.
 *
 * A guest-physical range becomes host memory through gmem_ptr() or one of the two copying
 * functions. There is no form without a length or without an intent, and nothing but RAM is ever
 * handed out: a range that leaves RAM, wraps, or is to be written although the guest itself may
 * only read it, is refused as a whole.
 *
 * The structure is set up before the first thread that uses it and does not change afterwards, so
 * no lock guards it. What lies behind the pointers is the guest's, which may change it at any time:
 * copy once, judge the copy, use the copy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t gpa_t; /* a guest-physical address: a number to the host, never a pointer */

enum gmem_access {
	GMEM_READ,  /* the device reads what the guest wrote */
	GMEM_WRITE, /* the device writes */
};

struct gmem_region {
	gpa_t base;
	uint64_t size; /* bytes, not 0; base + size does not wrap */
	uint8_t *host; /* not owned; aligned to 16 wherever base is */
	bool writable;
};

struct gmem {
	const struct gmem_region *regions; /* sorted by base, disjoint; not owned */
	unsigned count;

	/*
	 * The observer of writes, for a CPU that keeps decoded code of the guest; NULL: nobody
	 * observes. written() is called on the writer's thread before [gpa, gpa + len) is written,
	 * len is not 0, and the range lies in one region. It may be called for more than is written
	 * in the end, and several times for the same bytes. The observer ensures that no code that
	 * was decoded from the range before is executed after the write.
	 */
	void (*written)(void *ctx, gpa_t gpa, uint64_t len);
	void *written_ctx;
};

/*
 * Host memory for [gpa, gpa + len), or NULL if a part of the range is not RAM or does not permit
 * access. A range may span regions if they are adjacent on both sides, guest and host. len 0 is
 * refused as well: there is nothing to point at. The pointer is valid as long as the regions are.
 *
 * With GMEM_WRITE the observer is told of the range. That holds for writes before the guest runs
 * again: with an observer, devices work on the CPUs' thread, between two instructions. Code that
 * keeps the pointer for longer calls gmem_announce() before each later write.
 */
void *gmem_ptr(const struct gmem *gm, gpa_t gpa, uint64_t len, enum gmem_access access);

/* gmem_announce() where there is an observer. */
void *gmem_tell_observer(const struct gmem *gm, void *host, uint64_t len);

/* Tells the observer, if there is one, that [host, host + len) is about to be written: guest memory
 * that gmem_ptr() returned for GMEM_WRITE, or a part of it. Returns host. */
static inline void *gmem_announce(const struct gmem *gm, void *host, uint64_t len)
{
	if (__builtin_expect(gm->written != NULL, 0))
		return gmem_tell_observer(gm, host, len);
	return host;
}

/* Copy len bytes out of or into guest memory. 0, or -EFAULT as for gmem_ptr(), nothing copied. */
int gmem_read(const struct gmem *gm, gpa_t gpa, void *dst, size_t len);
int gmem_write(const struct gmem *gm, gpa_t gpa, const void *src, size_t len);

/* A part of a copy: any bytes, at any address. */
typedef uint64_t __attribute__((may_alias, aligned(1))) gmem_word;

/*
 * Copy out of what gmem_ptr() gave, while the guest may be writing there: each byte is loaded once,
 * so the copy cannot change between being judged and being used. For small things, most of them
 * descriptors, hence inline; payload stays in place.
 *
 * A volatile load is one that the compiler may not repeat; memcpy() promises no such thing. Not for
 * the thread sanitizer: it cannot see what orders these accesses, since that happens in the guest.
 * A vCPU's thread may read a stack that holds a buffer which a device filled long before.
 */
__attribute__((no_sanitize("thread"))) static inline void gmem_copy_in(
	void *dst, const void *src, size_t len)
{
	const uint8_t *from = src;
	uint8_t *to = dst;

	for (; len >= sizeof(gmem_word); len -= sizeof(gmem_word)) {
		gmem_word word = *(const volatile gmem_word *)from;

		memcpy(to, &word, sizeof word);
		from += sizeof word;
		to += sizeof word;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = *(const volatile uint8_t *)&from[i];
}

/* The way back, of small things too. Volatile here, or the loops become memcpy(), which the thread
 * sanitizer watches. */
__attribute__((no_sanitize("thread"))) static inline void gmem_copy_out(
	void *dst, const void *src, size_t len)
{
	const uint8_t *from = src;
	uint8_t *to = dst;

	for (; len >= sizeof(gmem_word); len -= sizeof(gmem_word)) {
		*(volatile gmem_word *)to = *(const gmem_word *)from;
		from += sizeof(gmem_word);
		to += sizeof(gmem_word);
	}
	for (size_t i = 0; i < len; i++)
		*(volatile uint8_t *)&to[i] = from[i];
}

#endif
