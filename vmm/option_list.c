/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_list.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

char *next_word(char **rest)
{
	char *word = *rest, *from = word, *to = word;

	if (!word)
		return NULL;
	for (; *from && (*from != ',' || from[1] == ','); *to++ = *from++)
		from += *from == ',';
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return word;
}

/* Returns the length of the longest beginning of text that has a comma and is the name of a file or
 * folder; 0 if there is none. */
static size_t name_with_comma(const char *text)
{
	const char *comma = strchr(text, ',');
	char name[PATH_MAX];
	size_t longest = 0;

	for (size_t len = comma ? (size_t)(comma - text) + 1 : 0; len > 0 && len < sizeof name;
		len++) {
		if (text[len] != ',' && text[len] != '/' && text[len] != '\0')
			continue;
		snprintf(name, sizeof name, "%.*s", (int)len, text);
		if (access(name, F_OK) == 0)
			longest = len;
		if (text[len] == '\0')
			break;
	}
	return longest;
}

void say_comma(const char *given)
{
	char twice[2 * PATH_MAX], *to = twice;
	size_t len = name_with_comma(given);

	/* A name may come after "file=", "file:" or "unix:". */
	for (const char *at = given; len == 0 && (at = strpbrk(at, "=:")) != NULL;)
		len = name_with_comma(given = ++at);
	if (len == 0)
		return;
	for (size_t i = 0; i < len; i++) {
		*to++ = given[i];
		if (given[i] == ',')
			*to++ = ',';
	}
	*to = '\0';
	say("%.*s: in a list, a comma of a name is written twice: %s", (int)len, given, twice);
}

int parse_path(const char *name, const char *text, const char **path)
{
	if (*text && !*path) {
		*path = text;
		return 0;
	}
	if (*text)
		say("%s %s: there can be only one, and %s is named before", name, text, *path);
	else
		say("%s: no file is named", name);
	return -EINVAL;
}

int check_output(const char *prefix, const char *path)
{
	if (strcmp(path, "-") != 0)
		return 0;
	say("%s-: standard output is the guest's; name a file", prefix);
	return -EINVAL;
}

int parse_output(const char *name, const char *text, const char **path)
{
	char prefix[32];

	snprintf(prefix, sizeof prefix, "%s ", name);
	return check_output(prefix, text) < 0 ? -EINVAL : parse_path(name, text, path);
}
