/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_SANDBOX_H
#define VMM_SANDBOX_SANDBOX_H

/*
 * Shuts this process in: from then on it can do what a machine that runs needs, and nothing else
 * that its user may do. spec/security.md says what is left.
 */

#include <stdbool.h>

#include "sandbox/landlock.h"
#include "sandbox/rules.h"

enum sandbox_mode {
	SANDBOX_DEFAULT, /* on, where this build has it */
	SANDBOX_OFF,
	SANDBOX_ON,
	SANDBOX_LOG, /* forbidden calls are said and made; files are not restricted */
};

/*
 * Shuts in the calling thread and all that it makes later, by rules for system calls and grants for
 * files; what the process inherited is closed. Called before the first thread is made.
 *
 * What this host or build does not have is said, with what still holds; so is SANDBOX_OFF. Returns
 * 0, or -errno (said) if something failed that the host does have.
 */
int sandbox_enter(enum sandbox_mode mode, const struct rules *rules,
	const struct landlock_grant *grants, unsigned grant_count);

/* Shuts in a helper process (io/helper.h) for good, without a word: what the host lacks was or will
 * be said by sandbox_enter(). A forbidden call kills it. */
void sandbox_enter_helper(
	const struct rules *rules, const struct landlock_grant *grants, unsigned grant_count);

/* Says by finding() what this host has of what a sandbox is made of, for `vole doctor`. */
void sandbox_doctor(void);

/* Parses "on", "off" or "log". Returns false for other words. */
bool sandbox_parse(const char *text, enum sandbox_mode *mode);

#endif
