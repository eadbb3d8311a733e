/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SHELL_WORD_H
#define VMM_SHELL_WORD_H

/*
 * Names of files in the commands that messages advise, written so that the user can paste the
 * command into a POSIX shell.
 */

#include <limits.h>

struct shell_word {
	char text[2 * PATH_MAX];
};

/* Writes the name of a file as one word of a command. A name of characters that the shell takes as
 * they are stays as it is; any other is quoted. A name that begins with "-", which the command
 * would take for an option, gets "./" before it. Returns shell_word->text, or path itself if the
 * word does not fit. Any thread. */
const char *shell_word_write(struct shell_word *shell_word, const char *path);

/* shell_word_write() for an argument of say(), with a buffer that is there until the end of the
 * block. */
#define shell_word(path) shell_word_write(&(struct shell_word){{0}}, path)

#endif
