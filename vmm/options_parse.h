/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_PARSE_H
#define VMM_OPTIONS_PARSE_H

/* The command line. What is wrong with it is said on standard error, once, by the name of the
 * option. */

#include "options.h"

/*
 * Parse the words after `run` or `inspect`; argv[0] is that word.
 *   0        filled
 *   1        --help was asked for
 *   -EINVAL  said what is wrong
 */
int options_parse(struct options *options, int argc, char **argv);

#endif
