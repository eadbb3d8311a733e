/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BOOT_WORD_H
#define TESTS_BOOT_WORD_H

/* Returns what follows the first place where a command line has this word, or NULL. */
static inline const char *word(const char *cmdline, const char *name)
{
	for (; *cmdline; cmdline++) {
		const char *at = cmdline, *wanted = name;

		while (*wanted && *at == *wanted)
			at++, wanted++;
		if (!*wanted)
			return at;
	}
	return 0;
}

#endif
