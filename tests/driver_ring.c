/* SPDX-License-Identifier: BSD-2-Clause */
#include "driver_ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "virtio.h"

#define GUARD_LEN 64

/* --- guest memory ----------------------------------------------------------------------------- */

/* Behind guest memory, so that whoever runs beyond it is caught. */
#define BEYOND_LEN 4096

/* Only pages that are touched cost time: some tests bring thousands of devices up. */
void ram_init(struct ram *ram)
{
	size_t len = RAM_SIZE + ROM_SIZE;
	uint8_t *bytes =
		mmap(NULL, len + BEYOND_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED || mprotect(bytes, len, PROT_READ | PROT_WRITE) < 0)
		abort();
	ram_init_at(ram, bytes);
}

void ram_init_at(struct ram *ram, uint8_t *bytes)
{
	ram->bytes = bytes;
	ram->regions[0] = (struct gmem_region){0, RAM_SIZE, ram->bytes, true};
	ram->regions[1] = (struct gmem_region){ROM_BASE, ROM_SIZE, ram->bytes + ROM_BASE, false};
	ram->gmem = (struct gmem){.regions = ram->regions, .count = 2};
	ram->next = 0x1000;
}

void ram_free(struct ram *ram)
{
	munmap(ram->bytes, RAM_SIZE + ROM_SIZE + BEYOND_LEN);
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

void ram_set_packed_desc(struct ram *ram, gpa_t table, unsigned index, gpa_t addr, uint32_t len,
	uint16_t id, uint16_t flags)
{
	ram_set_desc(ram, table, index, addr, len, id, flags);
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

/* --- split, piece by piece -------------------------------------------------------------------- */

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

/* --- packed, piece by piece ------------------------------------------------------------------- */

static struct virtq_packed_desc *slot_at(struct ring *ring, uint16_t slot)
{
	return ram_at(ring->ram, ring->desc + VIRTQ_DESC_BYTES(slot));
}

uint16_t ring_avail_bits(bool wrap)
{
	return wrap ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
}

uint16_t ring_used_bits(bool wrap)
{
	return wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0;
}

/* Past count slots. */
static void ring_advance(const struct ring *ring, struct ring_position *at, unsigned count)
{
	unsigned slot = at->slot + count;

	at->wrap ^= slot >= ring->size;
	at->slot = slot % ring->size;
}

static void set_flags(struct ring *ring, uint16_t slot, uint16_t flags)
{
	atomic_store_explicit(
		&slot_at(ring, slot)->flags.raw, cpu_to_le16(flags).raw, memory_order_release);
}

void ring_set_slot(
	struct ring *ring, uint16_t slot, gpa_t addr, uint32_t len, uint16_t id, uint16_t flags)
{
	struct virtq_packed_desc *desc = slot_at(ring, slot);

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->id = cpu_to_le16(id);
	set_flags(ring, slot, flags);
}

uint16_t ring_slot_flags(struct ring *ring, uint16_t slot)
{
	uint16_t raw = atomic_load_explicit(&slot_at(ring, slot)->flags.raw, memory_order_acquire);

	return le16_to_cpu((le16){raw});
}

uint16_t ring_put(struct ring *ring, gpa_t addr, uint32_t len, uint16_t id, uint16_t flags)
{
	uint16_t slot = ring->add.slot;

	ring_set_slot(ring, slot, addr, len, id, flags | ring_avail_bits(ring->add.wrap));
	ring_advance(ring, &ring->add, 1);
	ring->unkicked++;
	return slot;
}

void ring_set_driver_event(struct ring *ring, uint32_t mode, struct ring_position at)
{
	struct virtq_event *event = ram_at(ring->ram, ring->avail);
	uint32_t word = mode << 16 | (at.wrap ? VIRTQ_EVENT_WRAP : 0) | at.slot;

	atomic_store(&event->word.raw, cpu_to_le32(word).raw);
}

uint32_t ring_device_event(struct ring *ring)
{
	const struct virtq_event *event = ram_at(ring->ram, ring->used);

	return le32_to_cpu((le32){atomic_load(&event->word.raw)});
}

/* --- what drivers do -------------------------------------------------------------------------- */

static gpa_t area_alloc(struct ram *ram, size_t len, size_t align)
{
	gpa_t gpa = ram_alloc(ram, len + GUARD_LEN, align);

	memset(ram_at(ram, gpa + len), 0xa5, GUARD_LEN);
	return gpa;
}

static size_t avail_bytes(const struct ring *ring)
{
	return ring->packed ? sizeof(struct virtq_event) : VIRTQ_AVAIL_BYTES(ring->size);
}

static size_t used_bytes(const struct ring *ring)
{
	return ring->packed ? sizeof(struct virtq_event) : VIRTQ_USED_BYTES(ring->size);
}

void ring_init(struct ring *ring, struct ram *ram, uint16_t size, uint64_t features)
{
	*ring = (struct ring){
		.ram = ram,
		.size = size,
		.event_idx = features & VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
		.packed = features & VIRTIO_BIT(VIRTIO_F_RING_PACKED),
		.add = {0, true},
		.take = {0, true},
	};
	ring->desc = area_alloc(ram, VIRTQ_DESC_BYTES(size), VIRTQ_DESC_ALIGN);
	ring->avail = area_alloc(ram, avail_bytes(ring), VIRTQ_EVENT_ALIGN);
	ring->used = area_alloc(ram, used_bytes(ring), VIRTQ_USED_ALIGN);
	if (features & VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC))
		ring->tables = ram_alloc(ram, VIRTQ_DESC_BYTES(RING_TABLES), 1);
}

bool ring_guards_intact(struct ring *ring)
{
	struct ram *ram = ring->ram;

	return ram_is(ram, ring->desc + VIRTQ_DESC_BYTES(ring->size), 0xa5, GUARD_LEN) &&
	       ram_is(ram, ring->avail + avail_bytes(ring), 0xa5, GUARD_LEN) &&
	       ram_is(ram, ring->used + used_bytes(ring), 0xa5, GUARD_LEN);
}

static uint16_t write_flag(const struct buffer *buffer)
{
	return buffer->write ? VIRTQ_DESC_F_WRITE : 0;
}

static uint16_t next_flag(unsigned index, unsigned count)
{
	return index + 1 < count ? VIRTQ_DESC_F_NEXT : 0;
}

/* The buffers as a table of their own. Its address. */
static gpa_t add_table(struct ring *ring, const struct buffer *buffers, unsigned count)
{
	gpa_t table;

	if (count > RING_TABLES - ring->table_next)
		ring->table_next = 0;
	table = ring->tables + VIRTQ_DESC_BYTES(ring->table_next);
	for (unsigned i = 0; i < count; i++) {
		const struct buffer *buffer = &buffers[i];
		uint16_t flags = write_flag(buffer);

		if (ring->packed)
			ram_set_packed_desc(
				ring->ram, table, i, buffer->addr, buffer->len, 0, flags);
		else
			ram_set_desc(ring->ram, table, i, buffer->addr, buffer->len,
				flags | next_flag(i, count), i + 1);
	}
	ring->table_next += count;
	return table;
}

static uint16_t split_add(struct ring *ring, const struct buffer *buffers, unsigned count)
{
	uint16_t head = ring->desc_next, index = head;

	for (unsigned i = 0; i < count; i++) {
		uint16_t next = (index + 1) % ring->size;

		ring_set_desc(ring, index, buffers[i].addr, buffers[i].len,
			write_flag(&buffers[i]) | next_flag(i, count), next);
		index = next;
	}
	ring->desc_next = index;
	ring_offer(ring, head);
	return head;
}

static uint16_t split_add_indirect(struct ring *ring, gpa_t table, unsigned count)
{
	uint16_t head = ring->desc_next;

	ring_set_desc(ring, head, table, VIRTQ_DESC_BYTES(count), VIRTQ_DESC_F_INDIRECT, 0);
	ring->desc_next = (head + 1) % ring->size;
	ring_offer(ring, head);
	return head;
}

/* The first descriptor becomes available last (virtio 2.8.6). */
static uint16_t packed_add(struct ring *ring, const struct buffer *buffers, unsigned count)
{
	const struct ring_position head = ring->add;
	uint16_t first = write_flag(&buffers[0]) | next_flag(0, count);

	ring_set_slot(ring, head.slot, buffers[0].addr, buffers[0].len, head.slot,
		ring_slot_flags(ring, head.slot));
	ring_advance(ring, &ring->add, 1);
	for (unsigned i = 1; i < count; i++)
		ring_put(ring, buffers[i].addr, buffers[i].len, head.slot,
			write_flag(&buffers[i]) | next_flag(i, count));
	ring->list_slots[head.slot] = count;
	ring->unkicked++;
	set_flags(ring, head.slot, first | ring_avail_bits(head.wrap));
	return head.slot;
}

static uint16_t packed_add_indirect(struct ring *ring, gpa_t table, unsigned count)
{
	uint16_t id = ring->add.slot;

	ring->list_slots[id] = 1;
	return ring_put(ring, table, VIRTQ_DESC_BYTES(count), id, VIRTQ_DESC_F_INDIRECT);
}

uint16_t ring_add(struct ring *ring, const struct buffer *buffers, unsigned count)
{
	if (ring->tables && count > 1) {
		gpa_t table = add_table(ring, buffers, count);

		return ring->packed ? packed_add_indirect(ring, table, count)
				    : split_add_indirect(ring, table, count);
	}
	return ring->packed ? packed_add(ring, buffers, count) : split_add(ring, buffers, count);
}

uint16_t ring_add_one(struct ring *ring, gpa_t addr, uint32_t len, bool write)
{
	return ring_add(ring, &(struct buffer){addr, len, write}, 1);
}

static bool slot_used(struct ring *ring, struct ring_position at)
{
	uint16_t bits = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED;

	return (ring_slot_flags(ring, at.slot) & bits) == ring_used_bits(at.wrap);
}

static unsigned list_slots(const struct ring *ring, uint16_t id)
{
	return id < VIRTQ_SIZE_MAX && ring->list_slots[id] ? ring->list_slots[id] : 1;
}

/* A packed ring has no index: count the used lists from the next one on. */
static uint16_t packed_used_idx(struct ring *ring)
{
	struct ring_position at = ring->take;
	uint16_t idx = ring->used_idx;

	for (unsigned i = 0; i < ring->size && slot_used(ring, at); i++) {
		ring_advance(ring, &at, list_slots(ring, le16_to_cpu(slot_at(ring, at.slot)->id)));
		idx++;
	}
	return idx;
}

uint16_t ring_used_idx(struct ring *ring)
{
	uint16_t raw;

	if (ring->packed)
		return packed_used_idx(ring);
	raw = atomic_load_explicit(&ring_used(ring)->idx.raw, memory_order_acquire);
	return le16_to_cpu((le16){raw});
}

bool ring_pending(struct ring *ring)
{
	if (ring->packed)
		return slot_used(ring, ring->take);
	return ring_used_idx(ring) != ring->used_idx;
}

bool ring_take(struct ring *ring, struct used *used)
{
	if (!ring_pending(ring))
		return false;
	if (ring->packed) {
		const struct virtq_packed_desc *desc = slot_at(ring, ring->take.slot);
		uint16_t id = le16_to_cpu(desc->id);

		*used = (struct used){
			id, le32_to_cpu(desc->len), ring_slot_flags(ring, ring->take.slot)};
		ring_advance(ring, &ring->take, list_slots(ring, id));
	} else {
		const struct virtq_used_elem *elem =
			&ring_used(ring)->ring[ring->used_idx % ring->size];

		*used = (struct used){le32_to_cpu(elem->id), le32_to_cpu(elem->len), 0};
	}
	ring->used_idx++;
	return true;
}

void ring_skip(struct ring *ring, uint16_t id)
{
	if (ring->packed)
		ring_advance(ring, &ring->take, list_slots(ring, id));
	ring->used_idx++;
}

static bool split_wants_kick(struct ring *ring, uint16_t old, uint16_t new)
{
	if (ring->event_idx)
		return (uint16_t)(new - ring_avail_event(ring) - 1) < (uint16_t)(new - old);
	return new != old && !ring_used_flags(ring);
}

static bool packed_wants_kick(struct ring *ring, int added)
{
	uint32_t event = ring_device_event(ring);
	bool wrap = event & VIRTQ_EVENT_WRAP;
	int ago = ring->add.slot - (int)(event & 0x7fff);

	if (event >> 16 != VIRTQ_EVENT_DESC)
		return added > 0 && event >> 16 == VIRTQ_EVENT_ENABLE;
	if (wrap != ring->add.wrap)
		ago += ring->size;
	return ago >= 1 && ago <= added;
}

bool ring_wants_kick(struct ring *ring)
{
	uint16_t old = ring->kicked_idx;
	unsigned added = ring->unkicked;

	ring->kicked_idx = ring->avail_idx;
	ring->unkicked = 0;
	__sync_synchronize(); /* virtio 2.7.13.4.1, 2.8.21.3.1 */
	return ring->packed ? packed_wants_kick(ring, added)
			    : split_wants_kick(ring, old, ring->avail_idx);
}

void ring_want_interrupts(struct ring *ring, bool wanted)
{
	if (ring->packed && !wanted)
		ring_set_driver_event(ring, VIRTQ_EVENT_DISABLE, ring->take);
	else if (ring->packed)
		ring_set_driver_event(
			ring, ring->event_idx ? VIRTQ_EVENT_DESC : VIRTQ_EVENT_ENABLE, ring->take);
	else if (ring->event_idx)
		ring_set_used_event(ring, wanted ? ring->used_idx : ring->used_idx - 1);
	else
		ring_set_avail_flags(ring, wanted ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT);
	__sync_synchronize(); /* virtio 2.7.7.1 */
}

uint16_t ring_position(const struct ring *ring)
{
	if (ring->packed)
		return ring->add.slot | (ring->add.wrap ? VIRTQ_EVENT_WRAP : 0);
	return ring->avail_idx;
}

void ring_break(struct ring *ring)
{
	if (!ring->packed) {
		ring_set_avail_idx(ring, ring->avail_idx + 1000);
		return;
	}
	for (unsigned i = 0; i < ring->size; i++)
		ring_put(ring, 0, 0, 0, VIRTQ_DESC_F_NEXT);
}
