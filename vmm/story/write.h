/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_WRITE_H
#define VMM_STORY_WRITE_H

/* Writes the data of a page, spec/story.md, as JSON. */

#include <stdio.h>

#include "story/choice.h"

/* Bytes of a chain's buffers, and segments of a chain, that a step shows at most. */
#define STORY_BYTES_MAX    1024
#define STORY_SEGMENTS_MAX 64

/* Goes through the capture again, and writes what overview has found. name is that of the file.
 * Returns 0 or -ENOMEM; that it could not be written is for the caller to see, by ferror(). */
int story_write(FILE *page, FILE *capture, const char *name, const struct overview *overview);

#endif
