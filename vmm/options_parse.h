/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_PARSE_H
#define VMM_OPTIONS_PARSE_H

/* Parses the command line. An error is said on standard error, once, with the name of the
 * option; and how a name is written that has a comma, if there is one. */

#include "options.h"

/*
 * Parses the words after `run` or `inspect`; argv[0] is that word.
 *   0        *options is filled
 *   1        --help was asked for
 *   -EINVAL  a word is wrong (said)
 */
int options_parse(struct options *options, int argc, char **argv);

#endif
