/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LINES_TABLE_H
#define VMM_LINES_TABLE_H

/*
 * A line table in memory: see lines.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_ROWS_MAX   (4u << 20)
#define LINES_FILES_MAX  32768u
#define LINES_FILE_TABLE (2 * LINES_FILES_MAX)

/* From address up to that of the next row. */
struct lines_row {
	uint64_t address;
	uint32_t file; /* index in files */
	uint32_t line; /* 0: of no line */
	bool is_statement;
	bool is_end; /* nothing is known from here on */
};

struct lines_function {
	uint64_t address;
	char *name;
};

struct lines {
	char **files; /* paths, each once */
	unsigned file_count;
	uint32_t *file_table;   /* a hash table of the files: index plus 1, or 0 */
	struct lines_row *rows; /* by address; of several with the same one, the last one counts */
	size_t row_count;
	struct lines_function *functions; /* by address */
	size_t function_count;
};

#endif
