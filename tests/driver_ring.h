/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DRIVER_RING_H
#define TESTS_DRIVER_RING_H

/*
 * Guest memory, and the driver's half of one queue in it, for tests of the device's half:
 *
 *	struct ram	guest memory
 *	struct ring	the driver's half of one split queue
 *
 * It behaves, unless a test asks for the opposite: every descriptor, ring entry and index can be set
 * to anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_ring.h>

#include "gmem.h"

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
void ram_free(struct ram *ram);

/* Zeroed memory that nobody else has. */
gpa_t ram_alloc(struct ram *ram, size_t len, size_t align);

/* The host's pointer to it; also into the ROM. */
void *ram_at(struct ram *ram, gpa_t gpa);

/* Put a descriptor into a table there. */
void ram_set_desc(struct ram *ram, gpa_t table, unsigned index, gpa_t addr, uint32_t len,
	uint16_t flags, uint16_t next);

/* All len bytes there have this value. */
bool ram_is(struct ram *ram, gpa_t gpa, uint8_t value, size_t len);

/* --- a queue, driver's half ------------------------------------------------------------------- */

struct ring {
	struct ram *ram;
	uint16_t size;
	gpa_t desc, avail, used; /* the three areas */
	uint16_t desc_next;      /* descriptors are taken in turn */
	uint16_t avail_idx;      /* as stored last */
	uint16_t used_idx;       /* used elements taken so far */
	bool event_idx;          /* EVENT_IDX was accepted */
	gpa_t tables;            /* memory for indirect tables; 0: INDIRECT_DESC was not */
	unsigned table_next;     /* descriptors of it are taken in turn too */
	uint16_t kicked_idx;     /* avail_idx when ring_wants_kick() was last asked */
};

struct buffer {
	gpa_t addr;
	uint32_t len;
	bool write; /* by the device */
};

struct used {
	uint32_t id, len;
};

/* Fresh areas for a queue of this size, with these features accepted; a guard of 64 bytes 0xa5
 * follows each. */
void ring_init(struct ring *ring, struct ram *ram, uint16_t size, uint64_t features);
bool ring_guards_intact(struct ring *ring);

void ring_set_desc(
	struct ring *ring, uint16_t index, gpa_t addr, uint32_t len, uint16_t flags, uint16_t next);

/* Make the chain at head available; the value of head is not looked at. */
void ring_offer(struct ring *ring, uint16_t head);

/* Store any index. */
void ring_set_avail_idx(struct ring *ring, uint16_t idx);

/* A chain of these buffers, made available. Its head. At most size descriptors may be in flight, and
 * RING_TABLES in indirect tables: the next ones are used without a look. Where INDIRECT_DESC was
 * accepted, two buffers or more are put into a table. */
#define RING_TABLES 4096
uint16_t ring_add(struct ring *ring, const struct buffer *buffers, unsigned count);

/* The same for one buffer. */
uint16_t ring_add_one(struct ring *ring, gpa_t addr, uint32_t len, bool write);

/* The next used element, if there is one. */
bool ring_take(struct ring *ring, struct used *used);

uint16_t ring_used_idx(struct ring *ring);
uint16_t ring_used_flags(struct ring *ring);
void ring_set_avail_flags(struct ring *ring, uint16_t flags);
uint16_t ring_avail_event(struct ring *ring);
void ring_set_avail_event(struct ring *ring, uint16_t event);
void ring_set_used_event(struct ring *ring, uint16_t event);

/* What drivers do with them. Whether the device wants a kick for what was added since the last
 * call; ask for interrupts from the next used buffer on, or for none. */
bool ring_wants_kick(struct ring *ring);
void ring_want_interrupts(struct ring *ring, bool wanted);

/* There is something to take. */
bool ring_pending(struct ring *ring);

#endif
