/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHILDREN_H
#define VMM_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Waits until a child process has ended, or with -1 all of them, but a second at most: somebody may
 * have stopped one, and it may be another program's, which vole has taken the place of by
 * execve(2). Returns false if one is left. Any thread; async-signal-safe.
 */
bool children_await(pid_t pid);

#endif
