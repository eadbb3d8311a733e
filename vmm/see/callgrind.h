/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CALLGRIND_H
#define VMM_CALLGRIND_H

/*
 * A profile in callgrind's format (valgrind's manual, "Callgrind Format Specification"), which
 * callgrind_annotate and KCachegrind read.
 */

#include <stdio.h>

#include "see/hits.h"
#include "see/lines.h"
#include "see/profile.h"

struct callgrind {
	const char *kernel, *cmdline;
	const char *event;         /* what is counted: "Instructions" */
	const struct hits *hits;   /* exact costs; NULL: those of the samples */
	uint64_t hits_others;      /* costs that are missing in hits */
	const struct lines *lines; /* NULL: they are not known */
	const struct profile *profile;
	struct cpu *cpu; /* whose symbols are used */
};

/* Writes it to a file, whose errors are the caller's to look for. Calls and their costs are those
 * of the samples. Returns 0 or -ENOMEM. */
int callgrind_write(FILE *file, const struct callgrind *profile);

#endif
