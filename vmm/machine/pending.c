/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/pending.h"

#include <signal.h>

bool signal_ends(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
}

int pending_signal(bool (*is_wanted)(int signal))
{
	sigset_t pending;

	if (sigpending(&pending) == 0)
		for (int i = 1; i < NSIG; i++)
			if (is_wanted(i) && sigismember(&pending, i) == 1)
				return i;
	return 0;
}
