/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

/*
 * A terminal in raw mode. However vole ends, the terminal is restored to the state in which it was
 * found: by terminal_restore(), or, if vole is killed, by a small child process. The child holds
 * the terminal and the end of a pipe, and nothing else.
 *
 * The terminal is raw only while this process is its foreground job. It may be started as a
 * background job, and may change between both.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
	int fd;               /* -1: empty */
	bool is_found;        /* saved is valid */
	struct termios saved; /* the state in which it was found */
	bool is_raw;          /* this process has set raw mode; the child knows */
	pid_t guard;          /* the child; 0: none */
	int guard_pipe;       /* closed by vole's death */
};

#define TERMINAL_EMPTY ((struct terminal){.fd = -1, .guard_pipe = -1})

/* Returns whether fd is the controlling terminal of this process. */
bool terminal_controls_us(int fd);

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
