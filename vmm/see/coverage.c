/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/coverage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "see/sort.h"

/* A place where code of a line begins; or, with a name, where a function does. */
struct place {
	uint32_t file, line;
	uint64_t count;
	const char *function; /* NULL: a line */
};

/* By file; functions come before lines; then by line, and by name or count. */
static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (!x->function != !y->function)
		return x->function ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->count > y->count ? -1 : x->count < y->count;
}

/* Sets places to all places; there is room. Returns how many. Of rows with one address, the last
 * one has the code. */
static size_t find_places(const struct lines *lines, const struct hits *hits, struct place *places)
{
	size_t count = 0;

	for (size_t i = 0; i < lines->row_count; i++) {
		const struct lines_row *row = &lines->rows[i];
		bool has_code =
			i + 1 == lines->row_count || lines->rows[i + 1].address != row->address;

		if (has_code && !row->is_end && row->line > 0 && row->is_statement)
			places[count++] = (struct place){
				row->file, row->line, hits_find(hits, row->address), NULL};
	}
	for (size_t i = 0; i < lines->function_count; i++) {
		const struct lines_function *function = &lines->functions[i];
		const struct lines_row *row = lines_find(lines, function->address);

		if (row)
			places[count++] = (struct place){row->file, row->line,
				hits_find(hits, function->address), function->name};
	}
	return count;
}

/* Writes the functions of a file from places[i] on. Returns where its lines begin. */
static size_t write_functions(FILE *file, const struct place *places, size_t count, size_t i)
{
	size_t first = i, hit = 0;

	for (; i < count && places[i].function && places[i].file == places[first].file; i++) {
		fprintf(file, "FN:%u,%s\n", places[i].line, places[i].function);
		fprintf(file, "FNDA:%" PRIu64 ",%s\n", places[i].count, places[i].function);
		hit += places[i].count > 0;
	}
	fprintf(file, "FNF:%zu\nFNH:%zu\n", i - first, hit);
	return i;
}

/* Writes the lines of a file from places[i] on. Of a line, the first place has the highest count.
 * Returns where the next file begins. */
static size_t write_lines(
	FILE *file, const struct place *places, size_t count, size_t i, uint32_t number)
{
	size_t found = 0, hit = 0;
	uint32_t last = 0;

	for (; i < count && places[i].file == number; i++) {
		if (places[i].line == last)
			continue;
		last = places[i].line;
		fprintf(file, "DA:%u,%" PRIu64 "\n", last, places[i].count);
		found++;
		hit += places[i].count > 0;
	}
	fprintf(file, "LF:%zu\nLH:%zu\n", found, hit);
	return i;
}

int coverage_write(FILE *file, const struct lines *lines, const struct hits *hits)
{
	struct place *places = calloc(lines->row_count + lines->function_count + 1, sizeof *places);
	size_t count, i = 0;
	int ret;

	if (!places)
		return -ENOMEM;
	count = find_places(lines, hits, places);
	ret = sort(places, count, sizeof *places, compare);
	while (ret == 0 && i < count) {
		uint32_t number = places[i].file;

		fprintf(file, "TN:\nSF:%s\n", lines->files[number]);
		i = write_functions(file, places, count, i);
		i = write_lines(file, places, count, i, number);
		fprintf(file, "end_of_record\n");
	}
	free(places);
	return ret;
}
