/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SNAPSHOT_FILE_H
#define VMM_SNAPSHOT_FILE_H

/*
 * The file of a checkpoint: a header, the machine's memory, and its state as a stream (stream.h).
 * spec/snapshot.md, section 2 has the format. Functions report errors on standard error, after the
 * name of the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/stream.h"

/* Another one for each change of what a file holds, in whatever section. */
#define SNAPSHOT_VERSION 3

/* Where memory begins in the file, in bytes. */
#define SNAPSHOT_MEMORY_OFFSET 4096

/* Creates the file, or opens one that no vole uses, for a checkpoint that may come: its content
 * stays until then. Returns a descriptor, which holds a lock and the caller closes, or -errno. */
int snapshot_file_create(const char *path);

/*
 * Writes a checkpoint: memory_len bytes of memory, a multiple of 4096, and the state, a stream that
 * was written. Pages of zeroes become holes. The header comes last, so that a file whose writing
 * was interrupted is none; one whose writing failed is emptied. Returns 0 or -errno.
 */
int snapshot_file_write(int fd, const char *path, const uint8_t *memory, uint64_t memory_len,
	const struct snapshot_stream *state);

/* A checkpoint that is read. */
struct snapshot_file {
	int fd;           /* -1: empty. Holds a lock, so that no vole overwrites the file */
	const char *path; /* not owned */
	uint64_t memory_len;
	uint8_t *state;
	size_t state_len;
};

#define SNAPSHOT_FILE_EMPTY ((struct snapshot_file){.fd = -1})

/* Opens a checkpoint, or waits for one that is handed over at "unix:PATH", validates its header and
 * reads its state. Returns 0, or -errno: -EBADMSG if it is none, of another version, cut off or
 * damaged. The caller calls snapshot_file_close() whatever is returned. path must stay. */
int snapshot_file_open(struct snapshot_file *file, const char *path);
void snapshot_file_close(struct snapshot_file *file);

/* Maps the file's memory at host, in place of the memory_len bytes that are mapped there,
 * privately: what is written is copied, and the file stays as it is. It may be closed. Should a
 * page be lost later because somebody cuts the file off, the process ends and says so when it
 * touches the page; system calls that are given it fail with EFAULT. Returns 0 or -errno. */
int snapshot_file_map(const struct snapshot_file *file, uint8_t *host);

#endif
