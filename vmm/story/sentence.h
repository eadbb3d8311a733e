/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SENTENCE_H
#define VMM_SENTENCE_H

/* What a record says has happened, as a sentence without its full stop. Changes of rings and stores
 * have theirs in changes.h and stores.h. */

#include "see/text.h"
#include "story/queues.h"
#include "story/record.h"

/* Adds the sentence. device is that of the record, NULL: it has none. */
void sentence(struct text *text, const struct record *record, const struct story_device *device);

/* Adds what a chain asks of its device: "read of sector 7, 512 bytes". */
void sentence_request(
	struct text *text, const struct record *record, const struct story_device *device);

/* Returns the name of the status byte of a disk's request, NULL if it is not known. */
const char *sentence_result(const struct record *record);

#endif
