/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_RECORD_H
#define VMM_OPTIONS_RECORD_H

/* `vole run --record`, and `vole replay`. Functions return 0, or -EINVAL (said). */

#include <getopt.h>
#include <stddef.h>

#include "options.h"

/* Returns a copy of the words of a command line, each with a NUL, and sets *len to its bytes. The
 * caller frees it. NULL: there is no memory (said). Before they are parsed, which changes them. */
char *record_words(int count, char **words, size_t *len);

/* Validates --record against the other options, and sets what it stands for. */
int check_record(struct options *options);

/* Refuses an option that a replay does not take. options are those of getopt_long(). */
int check_replay_takes(int option, const struct option *longs);

#endif
