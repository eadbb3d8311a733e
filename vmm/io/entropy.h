/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ENTROPY_H
#define VMM_ENTROPY_H

/*
 * The host's end of an entropy device: getrandom(2), or a file in its place, for tests. The rate at
 * which the guest gets random bytes can be limited.
 *
 * The limit is a token bucket that holds the bytes of one second and is full initially. Its content
 * is computed when a request comes; a timer runs only while a request waits for bytes.
 *
 * All functions are called on the I/O thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "io/loop.h"

#define ENTROPY_RATE_MAX 1000000000u /* bytes a second */

struct entropy {
	struct rng_backend backend;
	struct io_loop *loop;

	/* Called when there may be bytes for a request that found none. */
	void (*ready)(void *ctx);
	void *ctx;

	struct io_source file; /* fd -1: getrandom(2) */
	bool file_waits;       /* false: always ready */
	bool file_armed;       /* file is in the loop */

	uint32_t rate;          /* bytes a second; 0: no limit */
	uint64_t since;         /* nanoseconds: the bucket holds rate * (now - since) bytes */
	struct io_source timer; /* a timerfd; fd -1: none */
};

#define ENTROPY_EMPTY ((struct entropy){.file.fd = -1, .timer.fd = -1})

/*
 * Opens a source of rate bytes a second (0: no limit): the file at path, or getrandom(2) if path is
 * NULL. The caller sets the callback before the loop runs. entropy must not move. Returns 0, or
 * -errno (said). The caller calls entropy_close() whatever is returned.
 *
 * A regular file is read once; at its end fill() returns -ENODATA. A FIFO, terminal or the like is
 * waited for while it has no data.
 */
int entropy_open(struct entropy *entropy, const char *path, uint32_t rate, struct io_loop *loop);
void entropy_close(struct entropy *entropy);

#endif
