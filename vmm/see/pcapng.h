/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PCAPNG_H
#define VMM_PCAPNG_H

/*
 * Writes the blocks of a pcapng file (draft-ietf-opsawg-pcapng): a section header, interfaces, and
 * packets. spec/capture.md says what vole puts into them. One thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/sink.h"
#include "see/bytes.h"

/* Bytes of a block, at most. */
#define PCAPNG_BLOCK_MAX (1u << 20)

/* epb_flags */
#define PCAPNG_INBOUND  1u
#define PCAPNG_OUTBOUND 2u

struct pcapng {
	struct sink sink;
	struct bytes block;  /* that is being made */
	unsigned interfaces; /* how many were described */
	uint32_t lost;       /* packets since the last one that was written */
};

/* What a packet has besides its bytes. */
struct pcapng_packet {
	unsigned interface;
	uint64_t ns;
	uint64_t uncut;      /* bytes that were left out at the end */
	uint32_t flags;      /* PCAPNG_INBOUND or PCAPNG_OUTBOUND */
	uint64_t id;         /* epb_packetid; 0: none */
	int queue;           /* epb_queue; -1: none */
	const char *comment; /* NULL: none */
};

/* Opens the file, as sink_open() does, or writes to fd, which it then owns, if path is NULL, and
 * begins it. Returns 0 or -errno; after 0 the caller calls pcapng_close(). */
int pcapng_open(struct pcapng *file, const char *path, struct sink_wait wait, int fd);

/* Writes what is left, and frees all unless it is stuck. */
struct sink_end pcapng_close(struct pcapng *file);

/* Describes an interface, and returns its number. */
unsigned pcapng_interface(struct pcapng *file, const char *name);

/* Begins a packet, whose bytes are then added to the record returned ... */
struct bytes *pcapng_begin(struct pcapng *file);

/* ... and ends it. A packet that does not fit into a block, or that nobody reads in time, is
 * lost, and counted in the next one. */
void pcapng_end(struct pcapng *file, const struct pcapng_packet *packet);

#endif
