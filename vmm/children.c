/* SPDX-License-Identifier: BSD-2-Clause */
#include "children.h"

#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

/* A helper needs less than the first wait; each one after that is twice as long, up to the last. */
#define FIRST_NS  50000L
#define LAST_NS   5000000L
#define SECOND_NS 1000000000L

bool children_await(pid_t pid)
{
	struct timespec wait = {.tv_nsec = FIRST_NS};
	long waited = 0;

	while (waited < SECOND_NS) {
		pid_t ended = waitpid(pid, NULL, WNOHANG);

		if (ended == pid || ended < 0)
			return true;
		if (ended != 0)
			continue;
		nanosleep(&wait, NULL);
		waited += wait.tv_nsec;
		wait.tv_nsec = 2 * wait.tv_nsec < LAST_NS ? 2 * wait.tv_nsec : LAST_NS;
	}
	return false;
}
