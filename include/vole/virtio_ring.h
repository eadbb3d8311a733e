/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_VIRTIO_RING_H
#define VOLE_VIRTIO_RING_H

/*
 * The split virtqueue (virtio 2.7), three areas in guest memory for a queue of N descriptors:
 *
 *	descriptor table	struct virtq_desc[N]			aligned to 16
 *	available ring		struct virtq_avail, le16[N], le16	aligned to 2, driver writes
 *	used ring		struct virtq_used, elem[N], le16	aligned to 4, device writes
 *
 * Each ring ends in an event field that the *other* side reads: used_event, at the end of the
 * available ring, says when the driver wants its next interrupt; avail_event, at the end of the
 * used ring, when the device wants its next kick. Both have their meaning with VIRTIO_F_EVENT_IDX
 * only, but their space is always there.
 *
 * idx counts freely modulo 65536; the slot is idx modulo N. N is a power of two.
 *
 * The packed virtqueue (virtio 2.8), which takes its place with VIRTIO_F_RING_PACKED, has one ring
 * that both sides write, and two words about notifications. N is any number.
 *
 *	descriptor ring			struct virtq_packed_desc[N]	aligned to 16, both write
 *	driver event suppression	struct virtq_event		aligned to 4, driver writes
 *	device event suppression	struct virtq_event		aligned to 4, device writes
 *
 * The driver puts lists of descriptors into the ring, one after the other and around; the device
 * overwrites them with used descriptors, one for each list, skipping the rest of its slots. Each
 * side knows where it is, and has a wrap counter of one bit, 1 at first and inverted at each wrap.
 * Two bits of a descriptor's flags say whose it is, by the wrap counter of who wrote it:
 *
 *	available	AVAIL equals the wrap counter, USED does not
 *	used		both equal the wrap counter
 */

#include <vole/language.h>

#define VIRTQ_SIZE_LIMIT 32768 /* the largest N the specification has (virtio 2.7) */
#define VIRTQ_SIZE_MAX   256   /* the largest N of vole's queues, and of its indirect tables */

#define VIRTQ_DESC_ALIGN  16
#define VIRTQ_AVAIL_ALIGN 2
#define VIRTQ_USED_ALIGN  4
#define VIRTQ_EVENT_ALIGN 4

/* virtq_desc.flags */
#define VIRTQ_DESC_F_NEXT     1 /* next is valid: the chain goes on there */
#define VIRTQ_DESC_F_WRITE    2 /* the device writes the buffer; else it reads it */
#define VIRTQ_DESC_F_INDIRECT 4 /* the buffer is a table of descriptors */

/* virtq_packed_desc.flags, besides those */
#define VIRTQ_DESC_F_AVAIL 0x0080
#define VIRTQ_DESC_F_USED  0x8000

#define VIRTQ_AVAIL_F_NO_INTERRUPT 1 /* virtq_avail.flags */
#define VIRTQ_USED_F_NO_NOTIFY     1 /* virtq_used.flags */

/* virtq_event.word */
#define VIRTQ_EVENT_WRAP    0x8000 /* lower half: the wrap counter */
#define VIRTQ_EVENT_ENABLE  0      /* upper half: always */
#define VIRTQ_EVENT_DISABLE 1      /* never */
#define VIRTQ_EVENT_DESC    2      /* for that slot in that lap; with EVENT_IDX only */

/* Where the event fields of a split queue are: bytes from the start of the available and of
 * the used ring. */
#define VIRTQ_USED_EVENT(n)  (VOLE_U(4) + VOLE_U(2) * (n))
#define VIRTQ_AVAIL_EVENT(n) (VOLE_U(4) + VOLE_U(8) * (n))

/* Bytes of the areas, event fields counted; the first also for a packed queue. */
#define VIRTQ_DESC_BYTES(n)  (VOLE_U(16) * (n))
#define VIRTQ_AVAIL_BYTES(n) (VOLE_U(6) + VOLE_U(2) * (n))
#define VIRTQ_USED_BYTES(n)  (VOLE_U(6) + VOLE_U(8) * (n))

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#include <vole/le.h>

struct virtq_desc {
	le64 addr; /* guest-physical */
	le32 len;  /* bytes */
	le16 flags;
	le16 next;
};

/* C++ has no arrays without a size, but for its compilers, which need not say so each time. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

struct virtq_avail {
	le16_atomic flags;
	le16_atomic idx;
	le16 ring[]; /* heads of chains; then used_event */
};

struct virtq_used_elem {
	le32 id;  /* head of the chain */
	le32 len; /* bytes that the device wrote to its start */
};

struct virtq_used {
	le16_atomic flags;
	le16_atomic idx;
	struct virtq_used_elem ring[]; /* then avail_event */
};

#pragma GCC diagnostic pop

struct virtq_packed_desc {
	le64 addr; /* guest-physical; not in a used descriptor */
	le32 len;  /* bytes; in a used descriptor, with WRITE, those that the device wrote */
	le16 id;   /* of the list, in its last descriptor; any number, given back as it is */
	le16_atomic flags;
};

/* When the side that writes it wants to be notified: a VIRTQ_EVENT_ mode in the upper half;
 * in the lower half the slot that it waits for, and the wrap counter. One word, so that
 * they go together. */
struct virtq_event {
	le32_atomic word;
};

VOLE_STATIC_ASSERT(sizeof(struct virtq_desc) == 16, "virtio 2.7.5");
VOLE_STATIC_ASSERT(offsetof(struct virtq_desc, len) == 8, "virtio 2.7.5");
VOLE_STATIC_ASSERT(offsetof(struct virtq_desc, flags) == 12, "virtio 2.7.5");
VOLE_STATIC_ASSERT(offsetof(struct virtq_desc, next) == 14, "virtio 2.7.5");
VOLE_STATIC_ASSERT(offsetof(struct virtq_avail, ring) == 4, "virtio 2.7.6");
VOLE_STATIC_ASSERT(sizeof(struct virtq_packed_desc) == 16, "virtio 2.8.13");
VOLE_STATIC_ASSERT(offsetof(struct virtq_packed_desc, len) == 8, "virtio 2.8.13");
VOLE_STATIC_ASSERT(offsetof(struct virtq_packed_desc, id) == 12, "virtio 2.8.13");
VOLE_STATIC_ASSERT(offsetof(struct virtq_packed_desc, flags) == 14, "virtio 2.8.13");
VOLE_STATIC_ASSERT(sizeof(struct virtq_event) == 4, "virtio 2.8.14");
VOLE_STATIC_ASSERT(sizeof(struct virtq_used_elem) == 8, "virtio 2.7.8");
VOLE_STATIC_ASSERT(offsetof(struct virtq_used, ring) == 4, "virtio 2.7.8");

#endif /* __ASSEMBLER__ */
#endif
