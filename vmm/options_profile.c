/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_profile.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "numbers.h"
#include "option_list.h"
#include "options.h"

/* Samples a second at most. */
#define PROFILE_HZ_MAX 100000000u

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
	return parse_output("--profile", path, &options->profile);
}
