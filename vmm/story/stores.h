/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_STORES_H
#define VMM_STORY_STORES_H

/* A single store of a driver to a queue, in words. */

#include "see/text.h"
#include "story/explain.h"
#include "story/queues.h"

/* Adds the sentence, "The driver stores in descriptor 1: length = 512". */
void store_words(
	struct text *text, const struct story_queue *queue, const struct record_ring *store);

enum explain store_explain(const struct story_queue *queue, const struct record_ring *store);

#endif
