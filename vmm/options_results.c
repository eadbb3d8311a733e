/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_results.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "numbers.h"
#include "option_list.h"
#include "options.h"

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

int parse_profile(struct options *options, char *text)
{
	const char *path = next_word(&text);
	char *word;

	while ((word = next_word(&text)) != NULL) {
		if (strncmp(word, "hz=", 3) != 0) {
			say("--profile %s: %s: not hz=N", path, word);
			return -EINVAL;
		}
		if (parse_positive(word + 3, PROFILE_HZ_MAX, &options->profile_hz) < 0) {
			say("--profile %s: %s: not a number from 1 to %u", path, word,
				PROFILE_HZ_MAX);
			return -EINVAL;
		}
	}
	return parse_path("--profile", path, &options->profile);
}
