/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_JOURNAL_H
#define VMM_JOURNAL_H

/*
 * What came into a machine from outside, in the order in which the machine took it, each with the
 * position of the run (struct engine_position) at which it did. A journal is in memory, in a file
 * that is being written, or both; spec/replay.md has the format. I/O thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/sink.h"

/* number says which port, disk and so on; value and data are the kind's own. */
enum journal_kind {
	JOURNAL_PORT = 1,      /* a port's other end is another: value is what port_state() packs */
	JOURNAL_INPUT,         /* data: bytes that came to a port */
	JOURNAL_INPUT_END,     /* value: what reads give from now on, 0 or -errno */
	JOURNAL_ENTROPY,       /* value: bytes that the source gave, which are data, or -errno */
	JOURNAL_ENTROPY_READY, /* the source may have bytes now for a request that found none */
	JOURNAL_DISK,          /* value: result of a transfer that was not done as asked for; data:
				* its number among those of the disk, 8 bytes */
	JOURNAL_STOP,      /* no more guest code; value: exit status of vole so far; number: 1 if
			    * the guest did not end the run; data: engine_position.done, 8 bytes */
	JOURNAL_END,       /* value: exit status of vole; number: the signal that ended it */
	JOURNAL_DISK_SIZE, /* value: sectors that a disk has from now on */
	JOURNAL_MARK,      /* the run has come here; at most JOURNAL_MARK_TURNS after an entry */
	JOURNAL_KINDS,
};

struct journal_entry {
	enum journal_kind kind;
	uint32_t number;
	uint64_t turns, instructions; /* as struct engine_position has them */
	int64_t value;
	const uint8_t *data; /* valid until the next journal_add() or journal_forget() */
	uint32_t len;        /* bytes */
};

/* Bytes of data that an entry has at most, and those of input. */
#define JOURNAL_DATA_MAX  65536u
#define JOURNAL_INPUT_MAX 4096u

/* Numbers of ports, of which the last is the serial port, and of disks. */
#define JOURNAL_PORTS 17
#define JOURNAL_DISKS 32

/* Sectors of a disk at most: bytes are counted in an off_t. */
#define JOURNAL_SECTORS_MAX (INT64_MAX / 512)

/* Turns without an entry after which a record has a JOURNAL_MARK: 82 million instructions of a CPU
 * that executes all the time. A run that was interrupted is known to within as many. */
#define JOURNAL_MARK_TURNS 8192

struct journal {
	uint8_t *bytes; /* entries, as in a file. Owned */
	size_t len, capacity;
	size_t written;    /* of them, to the sink; once all are, none is kept */
	size_t at;         /* of the next entry to read */
	uint64_t sum;      /* checksum of the entries that were added, or validated */
	uint64_t turns;    /* of the last of them; 0: there is none */
	struct sink *sink; /* NULL: entries stay in memory. Not owned */
	bool waits;        /* the sink had no room for all that was to be written */
	int error;         /* -ENOMEM: an entry is missing */
};

void journal_init(struct journal *journal);
void journal_free(struct journal *journal);

/* Adds an entry at the end. What fails is seen by journal.error, or by closing the sink. */
void journal_add(struct journal *journal, const struct journal_entry *entry);

/* Removes the first bytes of a journal that has no sink, which are whole entries. */
void journal_forget(struct journal *journal, size_t len);

/* Has entries be written to a sink from now on, and those that there are, first. */
void journal_begin_writing(struct journal *journal, struct sink *sink);

/* Writes what waits, as far as the sink has room. Returns whether something still waits: none is
 * to be added then, but what cannot be put off. */
bool journal_write(struct journal *journal);

/* Writes all, as long as the sink takes something each second, as sink_flush(). Returns how many
 * bytes are left. */
size_t journal_finish(struct journal *journal);

/* journal_check.c: whether the fields of an entry are in the ranges that its kind has, and whether
 * an entry can be the next one after another. */
bool journal_is_valid(const struct journal_entry *entry);
bool journal_may_follow(const struct journal_entry *before, const struct journal_entry *entry);

/*
 * Takes entries that were read from a file, which may come from anyone, as its own: *bytes is
 * allocated. Returns how many of the bytes are entries without a fault, which are those that the
 * journal has; *why says what is wrong with the next one, or that a JOURNAL_END is missing, else it
 * is NULL.
 */
size_t journal_take(struct journal *journal, uint8_t *bytes, size_t len, const char **why);

/* Sets *entry to the next one to read, and returns whether there is one. journal_advance() has the
 * one after it be next. */
bool journal_next(const struct journal *journal, struct journal_entry *entry);
void journal_advance(struct journal *journal);

#endif
