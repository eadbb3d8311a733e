/* SPDX-License-Identifier: BSD-2-Clause */
#include "driver_ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "virtio.h"

#define GUARD_LEN 64

/* --- guest memory ----------------------------------------------------------------------------- */

void ram_init(struct ram *ram)
{
	ram->bytes = aligned_alloc(4096, RAM_SIZE + ROM_SIZE);
	assert(ram->bytes);
	memset(ram->bytes, 0, RAM_SIZE + ROM_SIZE);
	ram->regions[0] = (struct gmem_region){0, RAM_SIZE, ram->bytes, true};
	ram->regions[1] = (struct gmem_region){ROM_BASE, ROM_SIZE, ram->bytes + ROM_BASE, false};
	ram->gmem = (struct gmem){ram->regions, 2};
	ram->next = 0x1000;
}

void ram_free(struct ram *ram)
{
	free(ram->bytes);
}

gpa_t ram_alloc(struct ram *ram, size_t len, size_t align)
{
	gpa_t gpa = (ram->next + align - 1) / align * align;

	assert(gpa + len <= RAM_SIZE);
	ram->next = gpa + len;
	return gpa;
}

void *ram_at(struct ram *ram, gpa_t gpa)
{
	assert(gpa <= RAM_END);
	return ram->bytes + gpa;
}

void ram_set_desc(struct ram *ram, gpa_t table, unsigned index, gpa_t addr, uint32_t len,
	uint16_t flags, uint16_t next)
{
	struct virtq_desc desc = {
		cpu_to_le64(addr), cpu_to_le32(len), cpu_to_le16(flags), cpu_to_le16(next)};

	memcpy(ram_at(ram, table + index * sizeof desc), &desc, sizeof desc);
}

bool ram_is(struct ram *ram, gpa_t gpa, uint8_t value, size_t len)
{
	const uint8_t *bytes = ram_at(ram, gpa);

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != value)
			return false;
	}
	return true;
}

/* --- a queue, driver's half ------------------------------------------------------------------- */

static gpa_t area_alloc(struct ram *ram, size_t len, size_t align)
{
	gpa_t gpa = ram_alloc(ram, len + GUARD_LEN, align);

	memset(ram_at(ram, gpa + len), 0xa5, GUARD_LEN);
	return gpa;
}

void ring_init(struct ring *ring, struct ram *ram, uint16_t size, uint64_t features)
{
	*ring = (struct ring){
		.ram = ram,
		.size = size,
		.event_idx = features & VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
		.desc = area_alloc(ram, VIRTQ_DESC_BYTES(size), VIRTQ_DESC_ALIGN),
		.avail = area_alloc(ram, VIRTQ_AVAIL_BYTES(size), VIRTQ_AVAIL_ALIGN),
		.used = area_alloc(ram, VIRTQ_USED_BYTES(size), VIRTQ_USED_ALIGN),
	};
	if (features & VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC))
		ring->tables = ram_alloc(ram, VIRTQ_DESC_BYTES(RING_TABLES), 1);
}

bool ring_guards_intact(struct ring *ring)
{
	uint16_t n = ring->size;

	return ram_is(ring->ram, ring->desc + VIRTQ_DESC_BYTES(n), 0xa5, GUARD_LEN) &&
	       ram_is(ring->ram, ring->avail + VIRTQ_AVAIL_BYTES(n), 0xa5, GUARD_LEN) &&
	       ram_is(ring->ram, ring->used + VIRTQ_USED_BYTES(n), 0xa5, GUARD_LEN);
}

static struct virtq_avail *ring_avail(struct ring *ring)
{
	return ram_at(ring->ram, ring->avail);
}

static struct virtq_used *ring_used(struct ring *ring)
{
	return ram_at(ring->ram, ring->used);
}

void ring_set_desc(
	struct ring *ring, uint16_t index, gpa_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	ram_set_desc(ring->ram, ring->desc, index, addr, len, flags, next);
}

void ring_set_avail_idx(struct ring *ring, uint16_t idx)
{
	ring->avail_idx = idx;
	atomic_store_explicit(
		&ring_avail(ring)->idx.raw, cpu_to_le16(idx).raw, memory_order_release);
}

void ring_offer(struct ring *ring, uint16_t head)
{
	ring_avail(ring)->ring[ring->avail_idx % ring->size] = cpu_to_le16(head);
	ring_set_avail_idx(ring, ring->avail_idx + 1);
}

/* The buffers as a table of their own. Its address. */
static gpa_t add_table(struct ring *ring, const struct buffer *buffers, unsigned count)
{
	gpa_t table;

	if (count > RING_TABLES - ring->table_next)
		ring->table_next = 0;
	table = ring->tables + VIRTQ_DESC_BYTES(ring->table_next);
	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = (buffers[i].write ? VIRTQ_DESC_F_WRITE : 0) |
				 (i + 1 < count ? VIRTQ_DESC_F_NEXT : 0);

		ram_set_desc(ring->ram, table, i, buffers[i].addr, buffers[i].len, flags, i + 1);
	}
	ring->table_next += count;
	return table;
}

uint16_t ring_add(struct ring *ring, const struct buffer *buffers, unsigned count)
{
	uint16_t head = ring->desc_next, index = head;

	if (ring->tables && count > 1) {
		gpa_t table = add_table(ring, buffers, count);

		ring_set_desc(ring, head, table, VIRTQ_DESC_BYTES(count), VIRTQ_DESC_F_INDIRECT, 0);
		ring->desc_next = (head + 1) % ring->size;
		ring_offer(ring, head);
		return head;
	}
	for (unsigned i = 0; i < count; i++) {
		uint16_t next = (index + 1) % ring->size;
		uint16_t flags = (buffers[i].write ? VIRTQ_DESC_F_WRITE : 0) |
				 (i + 1 < count ? VIRTQ_DESC_F_NEXT : 0);

		ring_set_desc(ring, index, buffers[i].addr, buffers[i].len, flags, next);
		index = next;
	}
	ring->desc_next = index;
	ring_offer(ring, head);
	return head;
}

uint16_t ring_add_one(struct ring *ring, gpa_t addr, uint32_t len, bool write)
{
	return ring_add(ring, &(struct buffer){addr, len, write}, 1);
}

uint16_t ring_used_idx(struct ring *ring)
{
	uint16_t raw = atomic_load_explicit(&ring_used(ring)->idx.raw, memory_order_acquire);

	return le16_to_cpu((le16){raw});
}

uint16_t ring_used_flags(struct ring *ring)
{
	return le16_to_cpu((le16){atomic_load(&ring_used(ring)->flags.raw)});
}

void ring_set_avail_flags(struct ring *ring, uint16_t flags)
{
	atomic_store(&ring_avail(ring)->flags.raw, cpu_to_le16(flags).raw);
}

static le16_atomic *avail_event(struct ring *ring)
{
	return ram_at(ring->ram, ring->used + VIRTQ_AVAIL_EVENT(ring->size));
}

uint16_t ring_avail_event(struct ring *ring)
{
	return le16_to_cpu((le16){atomic_load(&avail_event(ring)->raw)});
}

void ring_set_avail_event(struct ring *ring, uint16_t event)
{
	atomic_store(&avail_event(ring)->raw, cpu_to_le16(event).raw);
}

void ring_set_used_event(struct ring *ring, uint16_t event)
{
	le16_atomic *used_event = ram_at(ring->ram, ring->avail + VIRTQ_USED_EVENT(ring->size));

	atomic_store(&used_event->raw, cpu_to_le16(event).raw);
}

bool ring_wants_kick(struct ring *ring)
{
	uint16_t old = ring->kicked_idx, new = ring->avail_idx;

	ring->kicked_idx = new;
	__sync_synchronize(); /* virtio 2.7.13.4.1 */
	if (ring->event_idx)
		return (uint16_t)(new - ring_avail_event(ring) - 1) < (uint16_t)(new - old);
	return new != old && !ring_used_flags(ring);
}

void ring_want_interrupts(struct ring *ring, bool wanted)
{
	if (ring->event_idx)
		ring_set_used_event(ring, wanted ? ring->used_idx : ring->used_idx - 1);
	else
		ring_set_avail_flags(ring, wanted ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT);
	__sync_synchronize(); /* virtio 2.7.7.1 */
}

bool ring_pending(struct ring *ring)
{
	return ring_used_idx(ring) != ring->used_idx;
}

bool ring_take(struct ring *ring, struct used *used)
{
	const struct virtq_used_elem *elem;

	if (!ring_pending(ring))
		return false;
	elem = &ring_used(ring)->ring[ring->used_idx % ring->size];
	*used = (struct used){le32_to_cpu(elem->id), le32_to_cpu(elem->len)};
	ring->used_idx++;
	return true;
}
