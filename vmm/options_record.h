/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_RECORD_H
#define VMM_OPTIONS_RECORD_H

/* `vole run --record`, and `vole replay`. Functions return 0 or -errno (said): -EINVAL unless they
 * tell another. */

#include <getopt.h>
#include <stddef.h>

#include "options.h"

/* Sets *copy to the words of a command line, each with a NUL, and *len to their bytes, if --record
 * is among the words, else to NULL and 0. The caller frees it. Before they are parsed, which
 * changes them. Returns 0 or -ENOMEM. */
int record_words(int count, const char *const *words, char **copy, size_t *len);

/* Validates --record against the other options, and sets what it stands for. */
int check_record(struct options *options);

/* Refuses an option that a replay does not take. options are those of getopt_long(). */
int check_replay_takes(int option, const struct option *longs);

#endif
