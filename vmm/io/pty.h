/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PTY_H
#define VMM_PTY_H

/*
 * A pseudo-terminal (pty(7)) whose master is this process's. The slave is kept open here too, since
 * a master whose slave nobody has open hangs up. Any thread, one at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#define PTY_PATH_SIZE 64

/*
 * Makes a pseudo-terminal in raw mode: the guest is the one that echoes and edits. Sets path to
 * where its slave is, and *slave to a descriptor of it. Returns the master, which does not block,
 * or -errno; then *slave is -1. The caller closes both.
 */
int pty_open(int *slave, char path[PTY_PATH_SIZE]);

/*
 * Returns whether another process has the slave open. To find out, *slave is closed and opened
 * again: the master has hung up in between if it was the last one. Nobody else notices, and what
 * the terminal holds, and its settings, remain. If the slave cannot be opened again, *slave is -1,
 * and the next call tries it once more.
 */
bool pty_has_reader(int master, int *slave);

/* How far the readers of a pseudo-terminal's slave are behind, and a sign that they go on. */
struct pty_unread {
	unsigned bytes;    /* that a read(2) of the slave could take now */
	uint64_t was_read; /* when it was read, in seconds; the kernel tells to eight seconds */
};

/*
 * Returns what was written to the master and not read from the slave. There may be more behind
 * these bytes: the kernel holds some KiB that it hands on when there is room. They are 0 if there
 * is nothing, or only a line that has not ended, in canonical mode; for a moment, after a read that
 * has left nothing; and if slave is -1.
 */
struct pty_unread pty_unread(int slave);

/* Says that output to the master is lost, since the terminal is full and nobody has it open; name
 * is that of the option. */
void pty_say_lost(int master, const char *name);

#endif
