/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

/*
 * A terminal in raw mode, and its way back. However vole ends, the terminal is left as it was
 * found: terminal_restore() does it in good order, and a small child process does it where vole was
 * killed and could do nothing any more. The child holds the terminal and the end of a pipe, and
 * nothing else.
 *
 * The terminal is raw only while this process is the job in its foreground: it may be started in
 * the background, go there and come back.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
	int fd;               /* -1: empty */
	bool is_found;        /* saved is valid */
	struct termios saved; /* as found when it was first in our hands */
	bool is_raw;          /* by us; the child knows */
	pid_t guard;          /* the child; 0: none */
	int guard_pipe;       /* closed by vole's death */
};

#define TERMINAL_EMPTY ((struct terminal){.fd = -1, .guard_pipe = -1})

/* Is this a terminal, and the one of which this process may be the foreground or the background? */
bool terminal_controls_us(int fd);

/*
 * Take the terminal fd, which controls this process, into raw mode: no echo, no signals from keys,
 * no lines. Output is still processed, so a kernel that prints plain newlines stays readable. From
 * here on to read it in the background is an error, EIO, and stops nobody: SIGTTIN is blocked.
 * Before the first thread is made, since it forks. As terminal_resume(). Undone by
 * terminal_restore() whatever is returned.
 */
int terminal_open(struct terminal *terminal, int fd);

/* Nothing for a job in the background: whoever has the terminal then has set it. */
void terminal_restore(struct terminal *terminal);

/* While this process is stopped the terminal is as it was found; afterwards raw again, if this
 * process may. To suspend an empty terminal is nothing. terminal_resume() gives 1 if it is raw, 0
 * if this is a job in the background, which must not touch it, or -errno. */
void terminal_suspend(struct terminal *terminal);
int terminal_resume(struct terminal *terminal);

#endif
