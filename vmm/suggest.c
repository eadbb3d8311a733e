/* SPDX-License-Identifier: BSD-2-Clause */
#include "suggest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
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

/* Of a list in a message. */
#define LIST_WORDS_MAX 32

/* A longer value is not repeated. */
#define VALUE_MAX 40

/* The part of a word before its value. */
static size_t name_len(const char *word)
{
	return strcspn(word, "=:");
}

/* Cuts a list into its words. items gets each word, names its part before the value; both point
 * into the text, of which there are two copies, and names ends with NULL. */
static void split(char *item_text, char *name_text, const char *items[], const char *names[])
{
	char *item_rest = item_text, *name_rest = name_text, *item, *name;
	unsigned count = 0;

	while (count + 1 < LIST_WORDS_MAX && (item = strsep(&item_rest, " ,;")) != NULL) {
		name = strsep(&name_rest, " ,;");
		if (!*item || strcmp(item, "or") == 0)
			continue;
		name[name_len(name)] = '\0';
		items[count] = item;
		names[count++] = name;
	}
	names[count] = NULL;
}

const char *suggestion_write(struct suggestion *suggestion, const char *word, const char *list)
{
	char item_text[512], name_text[512], wrong[LENGTH_MAX + 1];
	const char *items[LIST_WORDS_MAX], *names[LIST_WORDS_MAX], *meant;
	const char *value = word + name_len(word);
	unsigned at = 0;

	suggestion->text[0] = '\0';
	/* Nearly every short word is alike to another. */
	if (name_len(word) < 3 || name_len(word) > LENGTH_MAX)
		return suggestion->text;
	snprintf(wrong, sizeof wrong, "%.*s", (int)name_len(word), word);
	snprintf(item_text, sizeof item_text, "%s", list);
	snprintf(name_text, sizeof name_text, "%s", list);
	split(item_text, name_text, items, names);
	meant = suggest(wrong, names);
	if (!meant)
		return suggestion->text;
	while (names[at] != meant)
		at++;
	/* A value that was not taken with the right name is not the one to try. */
	if (value[0] && value[1] && strlen(value) <= VALUE_MAX && strcmp(meant, wrong) != 0)
		snprintf(suggestion->text, sizeof suggestion->text, "; %s%s?", meant, value);
	else
		snprintf(suggestion->text, sizeof suggestion->text, "; %s?", items[at]);
	return suggestion->text;
}
