/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_COVERAGE_H
#define VMM_COVERAGE_H

/*
 * Coverage in the format of lcov (geninfo(1), "tracefile"): of each source file the lines that have
 * code, and how often they were executed.
 */

#include <stdio.h>

#include "see/hits.h"
#include "see/lines.h"

/* Writes it to a file, whose errors are the caller's to look for. The count of a line is that of
 * the most frequent of the places where its code begins. Returns 0 or -ENOMEM. */
int coverage_write(FILE *file, const struct lines *lines, const struct hits *hits);

#endif
