/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DRIVER_RING_H
#define TESTS_DRIVER_RING_H

/*
 * Guest memory, and the driver's half of one queue in it, for tests of the device's half:
 *
 *	struct ram	guest memory
 *	struct ring	the driver's half of one queue, split or packed
 *
 * It behaves, unless a test asks for the opposite: every descriptor, ring entry and index can be
 * set to anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_ring.h>

#include "gmem.h"
#include "virtq.h"

/* --- guest memory ----------------------------------------------------------------------------- */

#define RAM_SIZE (UINT32_C(2) << 20) /* from guest-physical 0 */
#define ROM_BASE RAM_SIZE            /* memory that the guest may only read; adjacent to RAM */
#define ROM_SIZE UINT32_C(0x10000)
#define RAM_END  (ROM_BASE + ROM_SIZE) /* nothing from here on */

struct ram {
	uint8_t *bytes;
	struct gmem_region regions[2];
	struct gmem gmem;
	gpa_t next; /* free from here on */
};

void ram_init(struct ram *ram);

/* The same in RAM_SIZE + ROM_SIZE zeroed bytes, which stay the caller's: without ram_free(). */
void ram_init_at(struct ram *ram, uint8_t *bytes);

void ram_free(struct ram *ram);

/* Zeroed memory that nobody else has. */
gpa_t ram_alloc(struct ram *ram, size_t len, size_t align);

/* The host's pointer to it; also into the ROM. */
void *ram_at(struct ram *ram, gpa_t gpa);

/* All len bytes there have this value. */
bool ram_is(struct ram *ram, gpa_t gpa, uint8_t value, size_t len);

/* Put a descriptor into a table there, for a split queue; and for a packed one, where flags and the
 * last field have changed places. */
void ram_set_desc(struct ram *ram, gpa_t table, unsigned index, gpa_t addr, uint32_t len,
	uint16_t flags, uint16_t next);
void ram_set_packed_desc(struct ram *ram, gpa_t table, unsigned index, gpa_t addr, uint32_t len,
	uint16_t id, uint16_t flags);

/* --- a queue, driver's half ------------------------------------------------------------------- */

/* A place in a packed ring, and the wrap counter there. */
struct ring_position {
	uint16_t slot;
	bool wrap;
};

struct ring {
	struct ram *ram;
	uint16_t size;
	gpa_t desc, avail, used; /* the three areas */
	bool event_idx;          /* EVENT_IDX was accepted */
	gpa_t tables;            /* memory for indirect tables; 0: INDIRECT_DESC was not */
	unsigned table_next;     /* descriptors of it are taken in turn */
	uint16_t used_idx;       /* buffers taken back so far */

	/* Split. */
	uint16_t desc_next;  /* descriptors are taken in turn too */
	uint16_t avail_idx;  /* as stored last */
	uint16_t kicked_idx; /* avail_idx when ring_wants_kick() was last asked */

	/* Packed. */
	bool packed;
	struct ring_position add, take; /* next ones to fill, to look at */
	unsigned unkicked;              /* slots filled since ring_wants_kick() was last asked */
	uint16_t list_slots[VIRTQ_SIZE_MAX]; /* by id */
};

struct buffer {
	gpa_t addr;
	uint32_t len;
	bool write; /* by the device */
};

struct used {
	uint32_t id, len;
	uint16_t flags; /* packed */
};

/* Fresh areas for a queue of this size, with these features accepted; a guard of 64 bytes 0xa5
 * follows each. */
void ring_init(struct ring *ring, struct ram *ram, uint16_t size, uint64_t features);
bool ring_guards_intact(struct ring *ring);

/*
 * A chain of these buffers, made available. Its name, by which it comes back: of its head, which is
 * a descriptor of the table or a slot. At most size descriptors may be in flight, and RING_TABLES
 * in indirect tables: the next ones are used without a look. Where INDIRECT_DESC was accepted, two
 * buffers or more are put into a table.
 */
#define RING_TABLES 4096
uint16_t ring_add(struct ring *ring, const struct buffer *buffers, unsigned count);

/* The same for one buffer. */
uint16_t ring_add_one(struct ring *ring, gpa_t addr, uint32_t len, bool write);

/* There is something to take; the next used buffer, if there is one. */
bool ring_pending(struct ring *ring);
bool ring_take(struct ring *ring, struct used *used);

/* Skips the used element of a buffer, by its name: one that was taken, of a later buffer, stands
 * for this one as well (virtio 2.7.9, 2.8.8). */
void ring_skip(struct ring *ring, uint16_t id);

/* How many buffers the device gave back so far, whether taken or not, modulo 65536. */
uint16_t ring_used_idx(struct ring *ring);

/* Whether the device wants a kick for what was added since the last call; ask for interrupts from
 * the next used buffer on, or for none. */
bool ring_wants_kick(struct ring *ring);
void ring_want_interrupts(struct ring *ring, bool wanted);

/* Where the next buffer will be made available, as in a kick with
 * NOTIFICATION_DATA (virtio 2.9). */
uint16_t ring_position(const struct ring *ring);

/* Make nonsense of the ring: an index that jumps, a list without an end. */
void ring_break(struct ring *ring);

/* --- split, piece by piece -------------------------------------------------------------------- */

void ring_set_desc(
	struct ring *ring, uint16_t index, gpa_t addr, uint32_t len, uint16_t flags, uint16_t next);

/* Make the chain at head available; the value of head is not looked at. */
void ring_offer(struct ring *ring, uint16_t head);

/* Store any index. */
void ring_set_avail_idx(struct ring *ring, uint16_t idx);

uint16_t ring_used_flags(struct ring *ring);
void ring_set_avail_flags(struct ring *ring, uint16_t flags);
uint16_t ring_avail_event(struct ring *ring);
void ring_set_avail_event(struct ring *ring, uint16_t event);
void ring_set_used_event(struct ring *ring, uint16_t event);

/* --- packed, piece by piece ------------------------------------------------------------------- */

/* Fill the next slot; flags without AVAIL and USED, which are added: an available descriptor. Its
 * slot. */
uint16_t ring_put(struct ring *ring, gpa_t addr, uint32_t len, uint16_t id, uint16_t flags);

/* Any slot, any flags, which are stored last; and those of a slot. */
void ring_set_slot(
	struct ring *ring, uint16_t slot, gpa_t addr, uint32_t len, uint16_t id, uint16_t flags);
uint16_t ring_slot_flags(struct ring *ring, uint16_t slot);

/* AVAIL and USED as they are in an available, in a used descriptor. */
uint16_t ring_avail_bits(bool wrap);
uint16_t ring_used_bits(bool wrap);

/* The words about notifications, the driver's and the device's: a VIRTQ_EVENT_ mode, and
 * for a slot. */
void ring_set_driver_event(struct ring *ring, uint32_t mode, struct ring_position at);
uint32_t ring_device_event(struct ring *ring);

#endif
