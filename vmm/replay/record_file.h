/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RECORD_FILE_H
#define VMM_RECORD_FILE_H

/*
 * The file of a record: a header; what the run was made of, as a stream (snapshot/stream.h); and
 * the journal of what came from outside. spec/replay.md has the format. Functions report errors on
 * standard error, after the name of the file, unless they say otherwise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replay/journal.h"
#include "snapshot/stream.h"

/* Another one for each change of the format, or of what an entry stands for. */
#define RECORD_VERSION 3

#define RECORD_WORDS_MAX (64u << 10) /* bytes of the command line */
#define RECORD_FILES_MAX 32
#define RECORD_DISKS_MAX 32
#define RECORD_NAME_MAX  32

/* Identifies a file that the run read before its first instruction. */
struct record_file_identity {
	uint64_t size, checksum; /* checksum_file() */
};

/* Identifies the content of a disk, and has what its driver was told (struct block_backend). */
struct record_disk {
	uint64_t sectors, checksum;
	uint32_t block_size, unit;
	bool read_only, can_unmap;
};

/* The setup of a run: vole, its command line, and the files and disks that it read. */
struct record_setup {
	char vole[RECORD_NAME_MAX]; /* the version of vole */
	uint32_t words_len;
	char words[RECORD_WORDS_MAX]; /* of the command line from "run" on, each with a NUL */
	uint32_t file_count;          /* kernel, modules, initial RAM disk */
	struct record_file_identity files[RECORD_FILES_MAX];
	uint32_t disk_count;
	struct record_disk disks[RECORD_DISKS_MAX];
};

/* Transfers it to or from a stream. What is read is validated. */
void record_setup_transfer(struct record_setup *setup, struct snapshot_stream *stream);

/* Writes the header and the setup to a sink. Returns 0 or -errno (not said). */
int record_write_setup(struct sink *sink, struct record_setup *setup);

/* Opens a regular file for a record, which becomes empty, or says why it cannot be used. Returns a
 * descriptor, which holds a lock and the caller closes, or -errno. */
int record_create(const char *path);

/* Opens a record for reading. Returns a descriptor that the caller closes, or -errno (said). Until
 * then no vole, this one neither, empties the file for output of its own. */
int record_open(const char *path);

/*
 * Reads a record: fills *setup and *journal. path is for messages. *cut is set to what is wrong
 * with the end of the file, NULL if nothing is: the journal has all before it. Returns 0, or
 * -errno: -EBADMSG if it is no record, of another format, or its setup is damaged. The caller calls
 * journal_free() whatever is returned.
 */
int record_read(int fd, const char *path, struct record_setup *setup, struct journal *journal,
	const char **cut);

/* Parses the bytes of a record as record_read() does. bytes is allocated, and owned by the journal
 * or freed. Says nothing but returns *why. */
int record_parse(uint8_t *bytes, size_t len, struct record_setup *setup, struct journal *journal,
	const char **cut, char *why, size_t why_size);

#endif
