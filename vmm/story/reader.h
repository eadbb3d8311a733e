/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_READER_H
#define VMM_STORY_READER_H

/*
 * Reads the packets of a pcapng file (draft-ietf-opsawg-pcapng), which may have been cut off, be
 * of another program or be no capture at all: nothing in it is believed before it is looked at.
 * One block is in memory at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Interfaces of a section, at most: what comes behind a description of one more is not read. */
#define READER_INTERFACES_MAX 4096

struct reader {
	FILE *file;     /* not owned */
	uint64_t read;  /* bytes, up to the end of the last block */
	uint8_t *block; /* owned; the body of the last block */
	size_t block_size;

	/* Of the section that is being read: powers of ten that its interfaces' time stamps are
	 * fractions of; INTERFACE_FOREIGN: the interface is not one of vole's. */
	uint8_t *resolutions; /* owned */
	unsigned interfaces;

	char application[64]; /* who wrote the first section; "": it does not say */
	uint64_t foreign;     /* packets of another link type than vole's */
	char problem[160];    /* why the file could be read no further; "": its end was reached */
};

struct packet {
	uint64_t ns;
	uint64_t id;    /* epb_packetid; 0: none */
	uint64_t lost;  /* packets before this one, says the file */
	uint64_t uncut; /* bytes that were left out at the end */
	size_t len;
	const uint8_t *bytes; /* valid until the next call */
};

/* Begins at the beginning of a file. Returns 0 or -ENOMEM; the caller calls reader_free(). */
int reader_init(struct reader *reader, FILE *file);
void reader_free(struct reader *reader);

/* Reads on to the next packet of a vole's. Returns false at the end: reader->problem says why, if
 * that is not where the file should end. */
bool reader_next(struct reader *reader, struct packet *packet);

#endif
