/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LINES_PROGRAM_H
#define VMM_LINES_PROGRAM_H

/*
 * Line programs (DWARF 5, 6.2; DWARF 4, 6.2 for versions 2 to 4). A part of lines.c.
 */

#include "see/lines_table.h"

/* A section; bytes NULL: there is none. Not owned. */
struct lines_section {
	const uint8_t *bytes;
	size_t size;
};

struct lines_sections {
	struct lines_section line, line_str, str; /* .debug_line, .debug_line_str, .debug_str */
};

/* Adds the rows of all programs to lines, in no order, and the files they name. A program that is
 * damaged adds what comes before the damage. Returns 0, or -ENOMEM. */
int lines_run_programs(struct lines *lines, const struct lines_sections *sections);

#endif
