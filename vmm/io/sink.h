/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SINK_H
#define VMM_SINK_H

/*
 * A file, pipe or terminal that vole writes for somebody who watches the machine: records that a
 * thread of its own writes in the order in which they came, those of a millisecond together. Who
 * gives a record never waits: if the reader is so slow that SINK_SIZE bytes are waiting already,
 * the record is lost, and counted.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that wait for the reader, at most. Pages that are never filled cost nothing. */
#define SINK_SIZE (32u << 20)

struct sink {
	int fd; /* -1: empty */
	bool owns_fd;
	bool is_log;   /* records are lines, for standard error (line.h) */
	bool in_line;  /* a part of one is written. Of the thread */
	size_t step;   /* bytes that one write(2) takes at most */
	uint8_t *ring; /* of SINK_SIZE bytes */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t given; /* something waits, or has to be written at once */
	pthread_cond_t taken; /* something was written, or nothing will be any more */
	pthread_t thread;
	bool started, closing, ended; /* the thread was started, is to end, has ended */
	unsigned flushes;             /* callers of sink_flush() that wait */
	size_t first, len;            /* what waits: where it begins in the ring, bytes */
	uint64_t written;             /* bytes */
	uint64_t lost;                /* records that were not taken */
	size_t unwritten;             /* bytes of those that were, when a write failed */
	int error; /* -errno of the write that failed, or of the thread's start: nothing is
		    * written since */
};

#define SINK_EMPTY ((struct sink){.fd = -1})

/* What became of the records. */
struct sink_end {
	uint64_t lost;      /* records that were not taken: the reader was too slow, or gone */
	uint64_t unwritten; /* bytes of records that were taken, and not written for the error */
	int error; /* -errno of the write that failed, -ETIMEDOUT if the reader took nothing for
			* a second at the end, also if is_stuck; 0: none */
	bool has_no_thread; /* error is what pthread_create(3) failed with: nothing is written */
	bool is_stuck;      /* a write(2) does not return: the sink cannot be freed */
};

/* How the reader of a FIFO is waited for. */
struct sink_wait {
	/* Waits for a moment of at most ms milliseconds. Returns 0, or what ends the wait: -EINTR
	 * if a signal came that ends vole, -ETIMEDOUT if its time is over. NULL: a FIFO without a
	 * reader is not waited for. */
	int (*moment)(void *ctx, unsigned ms);
	void *ctx;
};

/* Makes a sink that writes to a new file, or what has this name already: a file, which is locked
 * (file_lock()) and truncated, or a FIFO for instance. Waits until a FIFO has a reader. Returns 0,
 * -EBUSY if the file is in use already, by this machine or another, what ended the wait for a
 * reader, or -errno; after 0 the caller calls sink_close(). */
int sink_open(struct sink *sink, const char *path, struct sink_wait wait);

/* Says why sink_open() or sink_open_log() failed, having returned ret. option comes before the
 * path, as in "--trace "; path is NULL for standard error. */
void sink_say_unopened(int ret, const char *option, const char *path);

/* Makes a sink that writes to a descriptor, which sink_close() closes if the sink owns it. As
 * sink_open(); after an error the caller keeps the descriptor. */
int sink_open_fd(struct sink *sink, int fd, bool owns_fd);

/* Makes a sink of lines that writes to standard error, between those of others and on fresh lines
 * (line.h). A record is one line or several, with the newline. As sink_open(). */
int sink_open_log(struct sink *sink);

/* Adds a record. Returns false if it is lost: the reader is too slow, or gone. Any thread. */
bool sink_write(struct sink *sink, const void *record, size_t len);

/* Adds a record as sink_write() does, for who may wait: if there is no room, it waits as
 * sink_flush() does, and only then is the record lost. Any thread. */
bool sink_write_patiently(struct sink *sink, const void *record, size_t len);

/* Adds as many of the bytes as there is room for, for who keeps the others meanwhile. Returns their
 * number: all, which are lost, if the reader is gone. Any thread. */
size_t sink_write_some(struct sink *sink, const void *bytes, size_t len);

/* Returns whether something waits to be written. Any thread. */
bool sink_waits(struct sink *sink);

/* Waits until all records so far are written, or the reader takes nothing for a second. Any
 * thread. */
void sink_flush(struct sink *sink);

/* Writes what is left, as sink_flush(), and frees the sink. */
struct sink_end sink_close(struct sink *sink);

/* Says in one line what was lost, if anything: the option, the name of the file, and what a record
 * is, "line". */
void sink_report(
	const struct sink_end *end, const char *option, const char *name, const char *record);

#endif
