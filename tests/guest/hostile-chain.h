/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_HOSTILE_CHAIN_H
#define TESTS_GUEST_HOSTILE_CHAIN_H

/*
 * A queue under attack, and its chains, written piece by piece: each descriptor says what it is
 * told to, whether that can be or not.
 */

#include <vole/virtio_blk.h>

#include "hostile.h"
#include "memory.h"

#define LEN         16
#define SIZE        VIRTQ_SIZE
#define TABLE_LIMIT 256 /* descriptors that vole takes in an indirect table */

/* Places that descriptors name for a buffer. */
enum place {
	HERE,   /* where it should */
	HOLE,   /* no RAM */
	WINDOW, /* registers of the device itself */
	IOAPIC,
	APIC,
	ROM,       /* memory that is read-only to the guest */
	NULL_PAGE, /* no RAM either */
	RING,      /* descriptors of the queue itself */
	DRIVER,    /* the area that the driver writes */
	DEVICE,    /* the area that the device writes */
	RAM_END,   /* the last bytes of RAM */
	ABOVE,     /* 4 GiB */
	WRAP,      /* the last bytes of all, of which LEN lie behind the end */
};

/* Ways to give a chain to the device; and forms of the queue, as bits. */
#define DIRECT   1
#define INDIRECT 2
#define SPLIT    1
#define PACKED   2
#define ANY_FORM (SPLIT | PACKED)

#define R 0
#define W VIRTQ_DESC_F_WRITE
#define N VIRTQ_DESC_F_NEXT
#define I VIRTQ_DESC_F_INDIRECT

struct element {
	enum place place;
	uint32_t len;
	uint16_t flags; /* NEXT is added to all but the last */
};

static const struct start_info *boot;
static const char rom[LEN] = "................";
static char bytes[2 * LEN] = "................................";

static union {
	struct virtq_desc split;
	struct virtq_packed_desc packed;
} table[TABLE_LIMIT + 2];

/* The queue under attack. */
static struct mmio *dev;
static struct virtq *vq;

static inline uint64_t address(enum place place)
{
	const struct memory_map_entry *last = &info_memory(boot)[boot->mem_size - 1];

	switch (place) {
	case HOLE:
		return NOWHERE;
	case WINDOW:
		return dev->base;
	case IOAPIC:
		return boot->ioapic_base;
	case APIC:
		return boot->apic_base;
	case ROM:
		return (uint32_t)rom;
	case NULL_PAGE:
		return 0;
	case RING:
		return (uint32_t)vq->desc;
	case DRIVER:
		return (uint32_t)vq->driver;
	case DEVICE:
		return (uint32_t)vq->device;
	case RAM_END:
		return last->base + last->size - LEN / 2;
	case ABOVE:
		return UINT64_C(1) << 32;
	case WRAP:
		return UINT64_MAX - LEN / 2;
	default:
		return (uint32_t)bytes;
	}
}

/* A descriptor of the queue, with these flags as they are; last is next of a split one, id of a
 * packed one. */
static inline void set_desc(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t last)
{
	if (is_packed(dev)) {
		struct virtq_packed_desc *desc = &vq->packed.ring[i];

		desc->addr = cpu_to_le64(addr);
		desc->len = cpu_to_le32(len);
		desc->id = cpu_to_le16(last);
		atomic_store(&desc->flags.raw, cpu_to_le16(flags).raw);
	} else {
		vq->split.desc[i] = (struct virtq_desc){
			cpu_to_le64(addr), cpu_to_le32(len), cpu_to_le16(flags), cpu_to_le16(last)};
	}
}

static inline void set_table(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	if (is_packed(dev)) {
		table[i].packed.addr = cpu_to_le64(addr);
		table[i].packed.len = cpu_to_le32(len);
		atomic_store(&table[i].packed.flags.raw, cpu_to_le16(flags).raw);
	} else {
		table[i].split = (struct virtq_desc){
			cpu_to_le64(addr), cpu_to_le32(len), cpu_to_le16(flags), cpu_to_le16(next)};
	}
}

/* The first chain of the queue is the one that begins at descriptor head. The rest of a packed list
 * is there already, but its first descriptor is not available. */
static inline void publish_head(uint16_t head, uint16_t idx)
{
	vq->split.avail->ring[0] = cpu_to_le16(head);
	atomic_store(&vq->split.avail->idx.raw, cpu_to_le16(idx).raw);
}

/* As available in the first lap. */
static inline uint16_t available(uint16_t flags)
{
	return is_packed(dev) ? flags | VIRTQ_DESC_F_AVAIL : flags;
}

static inline void publish(void)
{
	if (!is_packed(dev))
		publish_head(0, 1);
}

/* One descriptor, which points to a table. */
static inline void offer_table(uint64_t addr, uint32_t len, uint16_t flags)
{
	set_desc(0, addr, len, available(I | flags), is_packed(dev) ? 0 : 1);
	publish();
}

static inline void offer_chain(const struct element *elements, unsigned count, unsigned way)
{
	for (unsigned i = count; i--;) {
		const struct element *e = &elements[i];
		uint16_t flags = e->flags | (i + 1 < count ? N : 0);

		if (way == INDIRECT)
			set_table(i, address(e->place), e->len, flags, i + 1);
		else
			set_desc(i, address(e->place), e->len, available(flags), i + 1);
	}
	if (way == INDIRECT)
		offer_table((uint32_t)table, count * sizeof(table[0]), 0);
	else
		publish();
}

#define HEADER                                         \
	{                                              \
		HERE, sizeof(struct virtio_blk_req), R \
	}

#define CHAIN(name, expected, ...)                                                                \
	{                                                                                         \
		name, expected, sizeof((struct element[]){__VA_ARGS__}) / sizeof(struct element), \
		{                                                                                 \
			__VA_ARGS__                                                               \
		}                                                                                 \
	}

#endif
