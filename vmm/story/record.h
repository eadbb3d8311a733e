/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_RECORD_H
#define VMM_STORY_RECORD_H

/* Takes the records of a capture apart, spec/capture.md. A record may be damaged or cut off. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "see/capture_format.h"
#include "story/reader.h"

/* Bytes at the end of a record, in the packet. */
struct record_bytes {
	const uint8_t *at;
	size_t len;
	uint64_t uncut; /* that should follow, and were left out */
};

struct record_access { /* READ, WRITE */
	uint32_t offset, len;
	uint64_t value;
	uint32_t selected;
	struct record_bytes place;
};

struct record_queue {  /* QUEUE_READY */
	uint32_t size; /* 0: it was stopped */
	uint64_t areas[3];
};

struct record_chain { /* CHAIN */
	uint16_t id, count;
	uint32_t readable_count;
	uint64_t readable_len, writable_len;
	const uint8_t *segments; /* count of an address and a length, of eight bytes each */
	struct record_bytes payload;
};

struct record_used { /* USED */
	uint16_t id;
	uint32_t len;
	uint64_t shown; /* bytes that the payload would have if nothing were cut off */
	struct record_bytes payload;
};

struct record_interrupt { /* INTERRUPT */
	uint32_t bit, pin, vector, destination, obstacle;
};

struct record_name { /* NAME */
	uint64_t address;
	struct record_bytes text;
};

struct record_ring { /* RING, STORE */
	uint8_t area;
	uint32_t offset;
	struct record_bytes place; /* STORE: of the instruction */
	struct record_bytes bytes;
};

struct record {
	enum capture_kind kind;
	uint64_t ns, chain; /* chain: its number in the capture; 0: none */
	uint16_t device, queue, cpu;
	uint32_t device_id;
	uint8_t flags;
	union {
		struct record_access access;
		struct {
			uint8_t before, now;
		} status;
		struct record_queue ready;
		struct record_chain taken;
		struct record_used used;
		struct record_interrupt interrupt;
		uint32_t suppression; /* NO_INTERRUPT */
		struct record_bytes report;
		struct record_ring ring;
		struct record_name name;
		uint32_t mark;
	};
};

enum record_fault {
	RECORD_FINE,
	RECORD_DAMAGED, /* its fields are not all there, or not what they can be */
	RECORD_LATER,   /* its version or kind is not known here */
	RECORD_BEYOND,  /* it is about more than a page shows: enum story_bound */
};

/* Returns whether a record is a kick, whose value is the queue: a write of four bytes to
 * QueueNotify (virtio 4.2.2), since others have no effect. */
bool record_is_kick(const struct record *record);

/* Takes a packet apart. What *record points at is the packet's. */
enum record_fault packet_record(struct record *record, const struct packet *packet);

#endif
