/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtq.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#define CHAIN_LEN_MAX (UINT64_C(1) << 32) /* bytes, virtio 2.7.5.2 */

/* --- guest memory --------------------------------------------------------------------------------
 *
 * The loads and stores whose order matters (virtio 2.7.13), and no others, are the next five
 * functions. "Driver" in the comments is guest-kernel/virtq.c, or Linux' virtio_ring.c.
 */

/* Acquire, pairs with the driver's release of avail.idx: the ring entries and descriptors that it
 * wrote before are visible to the loads that follow. */
static uint16_t avail_idx_load(const struct virtq *vq)
{
	uint16_t raw = atomic_load_explicit(&vq->avail->idx.raw, memory_order_acquire);

	return VOLE_SWAP16(raw);
}

/* Release, pairs with the driver's acquire of used.idx: a driver that sees the index sees the used
 * elements and the payload too (virtio 2.7.8.2). */
static void used_idx_store(struct virtq *vq, uint16_t idx)
{
	atomic_store_explicit(&vq->used->idx.raw, VOLE_SWAP16(idx), memory_order_release);
}

/*
 * Stores before it are visible before loads after it look. Each side stores, then looks at what the
 * other one stores; without the barrier both can look too early, and both miss the other's news.
 *
 * It is atomic_thread_fence(memory_order_seq_cst), in a spelling that gcc's thread sanitizer takes.
 */
static void full_barrier(void)
{
	__sync_synchronize();
}

/* After the used_idx_store(). Pairs with the driver, which clears the flag, then looks at used.idx:
 * either it sees the index, or we see the flag clear. */
static bool interrupt_wanted(const struct virtq *vq)
{
	uint16_t raw;

	full_barrier();
	raw = atomic_load_explicit(&vq->avail->flags.raw, memory_order_relaxed);
	return !(VOLE_SWAP16(raw) & VIRTQ_AVAIL_F_NO_INTERRUPT);
}

/* Before a look at avail.idx. Pairs with the driver, which stores avail.idx, then looks at the
 * flag: either it sees that a kick is wanted, or we see the index. */
static void used_flags_store(struct virtq *vq, uint16_t flags)
{
	atomic_store_explicit(&vq->used->flags.raw, VOLE_SWAP16(flags), memory_order_relaxed);
	full_barrier();
}

/* A descriptor in host order. The guest may change the original at any time, so each field is
 * loaded just once; atomically, so that the compiler cannot load it again. */
struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static struct desc desc_load(const struct virtq *vq, uint16_t index)
{
	const struct virtq_desc *d = &vq->table[index];
	le64 addr = {__atomic_load_n(&d->addr.raw, __ATOMIC_RELAXED)};
	le32 len = {__atomic_load_n(&d->len.raw, __ATOMIC_RELAXED)};
	le16 flags = {__atomic_load_n(&d->flags.raw, __ATOMIC_RELAXED)};
	le16 next = {__atomic_load_n(&d->next.raw, __ATOMIC_RELAXED)};

	return (struct desc){
		.addr = le64_to_cpu(addr),
		.len = le32_to_cpu(len),
		.flags = le16_to_cpu(flags),
		.next = le16_to_cpu(next),
	};
}

static uint16_t avail_head_load(const struct virtq *vq, uint16_t position)
{
	const le16 *entry = &vq->avail->ring[position % vq->size];

	return le16_to_cpu((le16){__atomic_load_n(&entry->raw, __ATOMIC_RELAXED)});
}

/* --- enabling --------------------------------------------------------------------------------- */

/* Say what is wrong; the value is error. */
__attribute__((format(printf, 3, 4))) static int fault(
	struct virtq *vq, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(vq->fault, sizeof vq->fault, format, arguments);
	va_end(arguments);
	return error;
}

/* One of the three areas, checked. NULL, with vq->fault set, if the driver misplaced it. */
static void *area(struct virtq *vq, const struct gmem *gmem, const char *name, gpa_t gpa,
	uint32_t len, unsigned align, enum gmem_access access)
{
	void *host;

	if (gpa % align != 0) {
		fault(vq, -EINVAL, "%s at 0x%" PRIx64 " is not aligned to %u (virtio 2.7.1)", name,
			gpa, align);
		return NULL;
	}
	host = gmem_ptr(gmem, gpa, len, access);
	if (!host)
		fault(vq, -EINVAL,
			"%s at 0x%" PRIx64 ", %" PRIu32 " bytes, is not in %sRAM (virtio 2.7)",
			name, gpa, len, access == GMEM_WRITE ? "writable " : "");
	return host;
}

void virtq_reset(struct virtq *vq)
{
	*vq = (struct virtq){0};
}

int virtq_enable(struct virtq *vq, const struct gmem *gmem, unsigned size_max)
{
	uint32_t size = vq->size;

	assert(size_max <= VIRTQ_SIZE_MAX);
	if (size == 0 || size > size_max || (size & (size - 1)) != 0)
		return fault(vq, -EINVAL,
			"queue size %" PRIu32 " is not a power of two from 1 to %u (virtio 2.7)",
			size, size_max);

	vq->table = area(vq, gmem, "descriptor table", vq->desc, VIRTQ_DESC_BYTES(size),
		VIRTQ_DESC_ALIGN, GMEM_READ);
	if (!vq->table)
		return -EINVAL;
	vq->avail = area(vq, gmem, "available ring", vq->driver, VIRTQ_AVAIL_BYTES(size),
		VIRTQ_AVAIL_ALIGN, GMEM_READ);
	if (!vq->avail)
		return -EINVAL;
	vq->used = area(vq, gmem, "used ring", vq->device, VIRTQ_USED_BYTES(size), VIRTQ_USED_ALIGN,
		GMEM_WRITE);
	if (!vq->used)
		return -EINVAL;

	vq->gmem = gmem;
	vq->avail_next = vq->avail_seen = 0;
	vq->used_next = vq->used_shown = 0;
	vq->ready = true;
	return 0;
}

void virtq_disable(struct virtq *vq)
{
	vq->ready = false;
}

/* --- from available to used ------------------------------------------------------------------- */

/* Judge the descriptor and add its buffer to the chain. 0 or -EPROTO. */
static int chain_add(struct virtq *vq, struct chain *chain, const struct desc *d)
{
	bool write = d->flags & VIRTQ_DESC_F_WRITE;
	unsigned count = chain->readable_count + chain->writable_count;
	void *host;

	if (d->flags & VIRTQ_DESC_F_INDIRECT)
		return fault(vq, -EPROTO,
			"indirect descriptor, but INDIRECT_DESC was not negotiated (virtio "
			"2.7.5.3.1)");
	if (!write && chain->writable)
		return fault(vq, -EPROTO,
			"device-readable descriptor after a device-writable one (virtio 2.7.4.2)");
	if (write && !chain->writable)
		chain->writable = &vq->segments[count];

	/* An empty buffer is an element like others, but points at nothing. */
	if (d->len == 0)
		return 0;
	if (d->len > CHAIN_LEN_MAX - chain->readable_len - chain->writable_len)
		return fault(vq, -EPROTO, "chain is longer than 2^32 bytes (virtio 2.7.5.2)");
	host = gmem_ptr(vq->gmem, d->addr, d->len, write ? GMEM_WRITE : GMEM_READ);
	if (!host)
		return fault(vq, -EPROTO,
			"buffer at 0x%" PRIx64 ", %" PRIu32
			" bytes, is not in %sRAM (virtio 2.7.5)",
			d->addr, d->len, write ? "writable " : "");

	vq->segments[count] = (struct iovec){.iov_base = host, .iov_len = d->len};
	if (write) {
		chain->writable_count++;
		chain->writable_len += d->len;
	} else {
		chain->readable_count++;
		chain->readable_len += d->len;
	}
	return 0;
}

/* Collect the chain that begins at head, which is in the table. 0 or -EPROTO. */
static int chain_walk(struct virtq *vq, uint16_t head, struct chain *chain)
{
	uint16_t index = head;

	*chain = (struct chain){.id = head, .readable = vq->segments};

	/* No chain without a loop has more steps than the table has descriptors. */
	for (unsigned steps = 0; steps < vq->size; steps++) {
		struct desc d = desc_load(vq, index);
		int error = chain_add(vq, chain, &d);

		if (error < 0)
			return error;
		if (!(d.flags & VIRTQ_DESC_F_NEXT))
			return 0;
		if (d.next >= vq->size)
			return fault(vq, -EPROTO,
				"descriptor %u has next %u, but queue size is %" PRIu32
				" (virtio 2.7.5)",
				index, d.next, vq->size);
		index = d.next;
	}
	return fault(vq, -EPROTO, "chain from descriptor %u loops (virtio 2.7.5.2)", head);
}

int virtq_pop(struct virtq *vq, struct chain *chain)
{
	uint16_t idx = avail_idx_load(vq);
	uint16_t available = idx - vq->avail_next;
	uint16_t outstanding = idx - vq->used_shown;
	uint16_t head;
	int error;

	vq->avail_seen = idx;
	if (available == 0)
		return 0;
	if (available > vq->size)
		return fault(vq, -EPROTO,
			"available index jumps from %u to %u with queue size %" PRIu32
			" (virtio 2.7.13)",
			vq->avail_next, idx, vq->size);
	if (outstanding > vq->size)
		return fault(vq, -EPROTO,
			"%u buffers are outstanding with queue size %" PRIu32 " (virtio 2.7.13)",
			outstanding, vq->size);

	head = avail_head_load(vq, vq->avail_next);
	if (head >= vq->size)
		return fault(vq, -EPROTO,
			"available descriptor %u, but queue size is %" PRIu32 " (virtio 2.7.6)",
			head, vq->size);
	error = chain_walk(vq, head, chain);
	if (error < 0)
		return error;
	vq->avail_next++;
	return 1;
}

void virtq_push(struct virtq *vq, const struct chain *chain, uint32_t len)
{
	vq->used->ring[vq->used_next % vq->size] =
		(struct virtq_used_elem){.id = cpu_to_le32(chain->id), .len = cpu_to_le32(len)};
	vq->used_next++;
}

bool virtq_publish(struct virtq *vq)
{
	if (vq->used_next == vq->used_shown)
		return false;
	used_idx_store(vq, vq->used_next);
	vq->used_shown = vq->used_next;
	return interrupt_wanted(vq);
}

void virtq_silence(struct virtq *vq)
{
	used_flags_store(vq, VIRTQ_USED_F_NO_NOTIFY);
	vq->avail_seen = avail_idx_load(vq);
}

bool virtq_listen(struct virtq *vq)
{
	used_flags_store(vq, 0);
	return avail_idx_load(vq) != vq->avail_seen;
}
