/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HELPER_H
#define VMM_HELPER_H

/*
 * A child process that does one thing at vole's end, however that comes about: it has the end of a
 * pipe, which closes when vole finishes or dies. It is a session of its own, so that neither keys
 * nor the end of the terminal's session reach it, and holds no other descriptors than it was given.
 * It is shut in (sandbox/sandbox.h) by rules of its own.
 */

#include <sys/types.h>

#include "sandbox/sandbox.h"

struct helper {
	pid_t pid; /* 0: empty */
	int pipe;  /* what is written here, the child reads; -1: empty */
};

#define HELPER_EMPTY ((struct helper){.pipe = -1})

/* What a helper does. Constant. */
struct helper_work {
	const char *name; /* of the process, at most 15 bytes */
	const struct rule *rules;
	unsigned rule_count;
	/* Called in the child with its end of the pipe, only for async-signal-safe calls that the
	 * rules permit. Upon its return the child ends. */
	void (*run)(void *ctx, int pipe);
	void *ctx;
	int fd; /* descriptor that the child keeps; -1: none */
	const struct landlock_grant *grants;
	unsigned grant_count;
};

/* Starts the child. Called before the first thread is made. Returns 0, or -errno. The caller calls
 * helper_finish() whatever is returned. */
int helper_start(struct helper *helper, const struct helper_work *work);

/* Has the child see the end of the pipe, and waits for its end; if that does not come within a
 * second, as when somebody has stopped the child, says so. Ignores an empty helper, which it
 * leaves. Any thread. */
void helper_finish(struct helper *helper);

#endif
