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
 * no lock guards it. The guest may change the memory behind the pointers at any time: copy once,
 * validate the copy, use the copy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t gpa_t; /* a guest-physical address: a number to the host, never a pointer */

enum gmem_access {
	GMEM_READ,  /* the device reads what the guest wrote */
	GMEM_WRITE, /* the device writes */
	/* A CPU sets accessed, busy and dirty flags in its tables, which may lie where the guest
	 * itself may only read (Intel SDM 3, 3.4.5.1, 4.8 and 8.2.2). No device does so. */
	GMEM_MARK,
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
 * Returns the host memory of [gpa, gpa + len), or NULL if a part of the range is not RAM or does
 * not permit access, or if len is 0. A range may span regions if they are adjacent on both sides,
 * guest and host. The pointer is valid as long as the regions are.
 *
 * With GMEM_WRITE and GMEM_MARK the observer is told of the range. That holds for writes before the
 * guest runs again: with an observer, devices work on the CPUs' thread, between two instructions.
 * Code that keeps the pointer for longer calls gmem_announce() before each later write.
 */
void *gmem_ptr(const struct gmem *gm, gpa_t gpa, uint64_t len, enum gmem_access access);

/* Does the work of gmem_announce() where there is an observer. */
void *gmem_tell_observer(const struct gmem *gm, void *host, uint64_t len);

/* Tells the observer, if there is one, that [host, host + len) is about to be written: guest memory
 * that gmem_ptr() returned for GMEM_WRITE, or a part of it. Returns host. */
static inline void *gmem_announce(const struct gmem *gm, void *host, uint64_t len)
{
	if (__builtin_expect(gm->written != NULL, 0))
		return gmem_tell_observer(gm, host, len);
	return host;
}

/* Returns the guest-physical address of host memory that gmem_ptr() returned. */
gpa_t gmem_address(const struct gmem *gm, const void *host);

/* Copy len bytes from or into guest memory. Return 0, or -EFAULT where gmem_ptr() would return
 * NULL: then nothing is copied. */
int gmem_read(const struct gmem *gm, gpa_t gpa, void *dst, size_t len);
int gmem_write(const struct gmem *gm, gpa_t gpa, const void *src, size_t len);

/* A part of a copy: any bytes, at any address. */
typedef uint64_t __attribute__((may_alias, aligned(1))) gmem_word;

/*
 * Copies guest memory that gmem_ptr() returned, while the guest may write it. Each byte is loaded
 * once, so the copy cannot change between validation and use. It is inline because it is called for
 * small structures, mostly descriptors; payload is not copied.
 *
 * The loads are volatile, so that the compiler may not repeat them, as it may with memcpy(). The
 * thread sanitizer does not watch them, because the guest orders these accesses, which the
 * sanitizer cannot see: a vCPU's thread may read a stack that holds a buffer which a device filled
 * long before.
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

/* Copies a small structure into guest memory that gmem_ptr() returned. The stores are volatile,
 * because the compiler would replace the loops by memcpy(), which the thread sanitizer watches. */
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
