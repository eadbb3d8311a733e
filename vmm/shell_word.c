/* SPDX-License-Identifier: BSD-2-Clause */
#include "shell_word.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Returns whether a shell takes the character as it is, anywhere in a word. Bytes of UTF-8 beyond
 * ASCII are letters and the like to it. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80 || (c && strchr("/._-+,:=@%", c));
}

static bool is_plain_word(const char *word)
{
	const char *at = word;

	while (is_plain(*at))
		at++;
	return at > word && !*at;
}

/* A quoted word ends before each quote of its own, which stands alone after a backslash. */
#define QUOTE "'\\''"

const char *shell_word_write(struct shell_word *shell_word, const char *path)
{
	bool is_quoted = !is_plain_word(path);
	char *to = shell_word->text;
	/* A closing quote and the NUL have room behind it. */
	char *end = to + sizeof shell_word->text - 2;

	if (is_quoted)
		*to++ = '\'';
	if (*path == '-')
		to = stpcpy(to, "./");
	for (const char *at = path; *at; at++) {
		if (end - to < (ptrdiff_t)strlen(QUOTE))
			return path;
		if (*at == '\'')
			to = stpcpy(to, QUOTE);
		else
			*to++ = *at;
	}
	if (is_quoted)
		*to++ = '\'';
	*to = '\0';
	return shell_word->text;
}
