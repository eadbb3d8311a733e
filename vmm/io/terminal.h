/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

/*
 * A terminal in raw mode. However vole ends, the terminal is restored to the state in which it was
 * found: by terminal_restore(), or, if vole is killed, by a helper process, which holds the
 * terminal.
 *
 * The terminal is raw only while this process is its foreground job. It may be started as a
 * background job, and may change between both.
 */

#include <stdbool.h>
#include <termios.h>

#include "io/helper.h"

struct terminal {
	int fd;               /* -1: empty */
	bool is_found;        /* saved is valid */
	struct termios saved; /* the state in which it was found */
	bool is_raw;          /* this process has set raw mode */
	struct helper guard;  /* knows whether it is raw, and saved */
};

#define TERMINAL_EMPTY ((struct terminal){.fd = -1, .guard = HELPER_EMPTY})

/*
 * Takes the terminal fd, which controls this process, into raw mode: no echo, no signals from keys,
 * no lines. Output is still processed, so a kernel that prints plain newlines stays readable.
 * SIGTTIN is blocked from here on, so that reading the terminal as a background job fails with EIO
 * instead of stopping the process. Called before the first thread is made, because it forks.
 * Returns as terminal_resume(). The caller calls terminal_restore() whatever is returned.
 */
int terminal_open(struct terminal *terminal, int fd);

/* Restores the state in which the terminal was found and makes *terminal empty. It leaves the
 * terminal of a background job alone, because the foreground job has set it. */
void terminal_restore(struct terminal *terminal);

/* terminal_suspend() restores the state in which the terminal was found, before this process is
 * stopped; it ignores an empty terminal. terminal_resume() sets raw mode again if this is a
 * foreground job. It returns 1 if the terminal is raw, 0 if this is a background job, which must
 * not touch it, or -errno. */
void terminal_suspend(struct terminal *terminal);
int terminal_resume(struct terminal *terminal);

#endif
