/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_GUEST_ORDER_H
#define VIRTIO_GUEST_ORDER_H

/*
 * The order in which a guest has its devices use memory, for the thread sanitizer alone. A guest
 * may give the same buffer to one device after the other, which two threads serve. It orders their
 * accesses by the rings, but the sanitizer does not see what guest code does, and takes them for
 * races. So it is told that a thread which takes a chain comes after all those that have given
 * chains of the same guest memory back.
 */

#include "gmem.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GUEST_ORDER_IS_SEEN
#endif
#elif defined(__SANITIZE_THREAD__)
#define GUEST_ORDER_IS_SEEN
#endif

#ifdef GUEST_ORDER_IS_SEEN
#include <sanitizer/tsan_interface.h>
#endif

/* A chain was taken; and chains are about to be given back. */
static inline void guest_order_acquire(const struct gmem *gmem)
{
	(void)gmem;
#ifdef GUEST_ORDER_IS_SEEN
	__tsan_acquire((void *)gmem);
#endif
}

static inline void guest_order_release(const struct gmem *gmem)
{
	(void)gmem;
#ifdef GUEST_ORDER_IS_SEEN
	__tsan_release((void *)gmem);
#endif
}

#endif
