/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PROBLEMS_H
#define VMM_PROBLEMS_H

/* What a page of a capture lacks, and why: lines for its reader and for who makes it. */

#include "see/text.h"
#include "story/choice.h"

/* Adds a line for each thing that the page lacks. */
void problems_add(struct text *text, const struct overview *overview);

#endif
