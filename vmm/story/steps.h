/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STEPS_H
#define VMM_STEPS_H

/*
 * The steps of a capture, one after the other: a record is a step, a store of a driver too, but
 * changes of one queue's areas by the same side at the same moment are a single one, and those that
 * show a queue's memory for the first time belong to the step that made it ready.
 */

#include <stdbool.h>
#include <stdint.h>

#include "story/changes.h"
#include "story/queues.h"
#include "story/reader.h"
#include "story/record.h"

struct step {
	uint64_t number;      /* from 1 */
	struct record record; /* the first one; what it points at is valid in begin() only */
	struct changes changes;
};

/* Who looks at the steps. Each is called before the record takes effect on the devices. */
struct steps_visitor {
	void (*begin)(void *ctx, const struct step *step);
	void (*change)(void *ctx, const struct step *step, const struct record_ring *ring);
	/* The kernel has a symbol for an address; this is no step. */
	void (*name)(void *ctx, const struct record_name *name);
	/* Returns false to see no more. */
	bool (*end)(void *ctx, const struct step *step);
};

struct steps {
	struct reader reader;
	struct story_devices devices;
	struct step step;
	bool is_open;                     /* the step may go on */
	uint64_t damaged, later;          /* records that were left out: enum record_fault */
	uint64_t beyond;                  /* records that are about more than a page shows ... */
	struct story_beyond first_beyond; /* ... and what the first of them is about */
	uint64_t lost;                    /* records that the capture lacks, by what it says */
	bool ended;                       /* the visitor wants no more, or there is an error */
	int error;                        /* of story_apply() */
};

/* Goes through a file from its beginning. Returns 0 or -ENOMEM; the caller calls steps_free(). */
int steps_walk(struct steps *steps, FILE *file, const struct steps_visitor *visitor, void *ctx);
void steps_free(struct steps *steps);

#endif
