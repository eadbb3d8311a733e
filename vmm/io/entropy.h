/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ENTROPY_H
#define VMM_ENTROPY_H

/*
 * The host's end of an entropy device: getrandom(2), or a file in its place, for tests; and how
 * much of it a guest gets in a second, if that is limited.
 *
 * The limit is a bucket that holds a second's worth and is full at first. Nothing ticks: what the
 * bucket has is reckoned when somebody asks, and a timer runs only while a request waits for it.
 *
 * I/O thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "io/loop.h"

#define ENTROPY_RATE_MAX 1000000000u /* bytes a second */

struct entropy {
	struct rng_backend backend;
	struct io_loop *loop;

	/* There may be bytes for a request that found none. */
	void (*ready)(void *ctx);
	void *ctx;

	struct io_source file; /* fd -1: getrandom(2) */
	bool file_waits;       /* false: always ready */
	bool file_armed;       /* waited for */

	uint32_t rate;          /* bytes a second; 0: no limit */
	uint64_t since;         /* nanoseconds: what came into the bucket from then on is in it */
	struct io_source timer; /* a timerfd; fd -1: none */
};

#define ENTROPY_EMPTY ((struct entropy){.file.fd = -1, .timer.fd = -1})

/*
 * From the file at path, or if that is NULL from the host's pool, rate bytes a second. The callback
 * must be set before the loop runs. Undone by entropy_close() whatever is returned; entropy must
 * not move. 0, or -errno (said).
 *
 * A file is read once: at its end the back end has no more (-ENODATA). A FIFO, terminal or the like
 * is waited for where it has nothing.
 */
int entropy_open(struct entropy *entropy, const char *path, uint32_t rate, struct io_loop *loop);
void entropy_close(struct entropy *entropy);

#endif
