/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHANGES_H
#define VMM_CHANGES_H

/* What a step changes in the areas of a queue, in words. */

#include <stdbool.h>

#include "see/text.h"
#include "story/explain.h"
#include "story/queues.h"

/* Items of an array: how many, the first and the last of them. */
struct changed_items {
	unsigned count, first, last;
};

struct changes {
	bool by_device;
	struct changed_items descriptors;
	struct changed_items entries; /* of the available or the used ring */
	bool has_flags;               /* of a split ring, or of packed descriptors */
	bool has_idx, has_event;
	uint16_t flags, idx;
	uint32_t event; /* used_event, avail_event or the event suppression structure */
};

/* Returns whether the device made this change, by the area, or by the flags of packed descriptors.
 * The record is fine, and the queue as it was before it. */
bool changes_by_device(const struct story_queue *queue, const struct record_ring *ring);

/* Adds a change by the same side, before it takes effect. */
void changes_add(
	struct changes *changes, const struct story_queue *queue, const struct record_ring *ring);

/* Adds the sentence, "The driver has written descriptors 0 to 2, ...". */
void changes_words(struct text *text, const struct changes *changes, bool is_packed);

enum explain changes_explain(const struct changes *changes, bool is_packed);

#endif
