/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHOICE_H
#define VMM_CHOICE_H

/* Which steps of a capture a page shows: what the user asked for, and where that is in the file. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "story/steps.h"

/* Steps of a page, at most. */
#define STORY_STEPS_MAX 4000

#define CHOICE_ANY (-1)

struct choice {
	int device, queue; /* CHOICE_ANY: all of them */
	uint64_t chain;    /* its number in the capture; 0: all of them */
	uint64_t first;    /* step; from 1 */
};

/* The result of the first reading of a capture. */
struct overview {
	uint64_t steps, chains; /* in the file */
	uint64_t chosen;        /* steps that the user asked for ... */
	uint64_t shown;         /* ... of which the page has as many as these, */
	uint64_t first, last;   /* from this one to this one */
	uint64_t damaged, later, lost, foreign, beyond;
	struct story_beyond first_beyond; /* if beyond is not 0 */
	struct choice choice; /* with the chain's device, queue and steps, if one was asked for */
	uint64_t end;         /* the last step of it; UINT64_MAX: the file's */
	char application[64];
	char problem[160];
};

/* Looks through the file. Returns 0, -ENOMEM, or -ENOENT if the chain is not in it. */
int choice_look(struct overview *overview, FILE *file, const struct choice *choice);

/* Returns whether the page has this step, as far as device, queue and chain go. */
bool choice_has(const struct overview *overview, const struct step *step);

#endif
