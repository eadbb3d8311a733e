/* SPDX-License-Identifier: BSD-2-Clause */
#include "leave.h"

#include <limits.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "line.h"

/* How long the helpers are waited for. */
#define WAIT_STEPS   200
#define WAIT_STEP_MS 5

/* Children whom vole has of the program that it took the place of by execve(2) do not end because
 * vole does, and may live for ever. */
static void wait_for_helpers(void)
{
	unsigned steps = 0;

	while (steps < WAIT_STEPS) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return;
		if (pid > 0)
			continue;
		poll(NULL, 0, WAIT_STEP_MS);
		steps++;
	}
}

void leave_at_once(const char *line, size_t len, int status)
{
	line_write_last(line, len);
	descriptors_close(0, UINT_MAX);
	wait_for_helpers();
	_exit(status);
}
