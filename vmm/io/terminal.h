/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

/*
 * A terminal in raw mode, and its way back. However vole ends, the terminal is left as it was
 * found: terminal_restore() does it in good order, and a small child process does it where vole was
 * killed and could do nothing any more. The child holds the terminal and the end of a pipe, and
 * nothing else.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
	int fd;               /* -1: empty */
	struct termios saved; /* as found */
	pid_t guard;          /* the child; 0: none */
	int guard_pipe;       /* closed by vole's death */
};

#define TERMINAL_EMPTY ((struct terminal){.fd = -1, .guard_pipe = -1})

/*
 * Put the terminal fd into raw mode: no echo, no signals from keys, no lines. Output is still
 * processed, so a kernel that prints plain newlines stays readable. Before the first thread is
 * made, since it forks. 0, or -errno. Undone by terminal_restore() whatever is returned.
 */
int terminal_raw(struct terminal *terminal, int fd);

/* Nothing for a job in the background: whoever has the terminal then has set it. */
void terminal_restore(struct terminal *terminal);

/* While this process is stopped the terminal is as it was found; afterwards raw again, if this process may:
 * a job in the background must not touch it. Nothing for an empty terminal. */
void terminal_suspend(const struct terminal *terminal);
void terminal_resume(const struct terminal *terminal);

#endif
