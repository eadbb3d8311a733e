/* SPDX-License-Identifier: BSD-2-Clause */
#include "suggest.h"

#include <stddef.h>
#include <string.h>

/* Longer words are not compared: no command or option is as long. */
#define LENGTH_MAX 31

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The number of edits between two words: the distance of Damerau and Levenshtein in which no part
 * is edited twice. rows[i][j] is that of the first i characters of one and j of the other. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[LENGTH_MAX + 1][LENGTH_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	for (size_t i = 0; i <= a_len; i++) {
		for (size_t j = 0; j <= b_len; j++) {
			if (i == 0 || j == 0) {
				rows[i][j] = (unsigned)(i + j);
				continue;
			}
			rows[i][j] = least(rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
				least(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a_len][b_len];
}

const char *suggest(const char *word, const char *const *words)
{
	size_t len = strlen(word);
	unsigned fewest = 1 + (unsigned)(len / 4);
	const char *found = NULL;

	if (len > LENGTH_MAX)
		return NULL;
	for (; *words; words++) {
		unsigned edits;

		if (strlen(*words) > LENGTH_MAX)
			continue;
		edits = distance(word, *words);
		if (edits > fewest || (found && edits == fewest))
			continue;
		fewest = edits;
		found = *words;
	}
	return found;
}
