/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_VIEWS_H
#define VMM_OPTIONS_VIEWS_H

/*
 * The options that have the machine looked at, or put to the test. text is cut at its commas and
 * stays in use. All return 0, or -EINVAL (said, by the name of the option).
 */

#include "options.h"

/* --log pio|mmio|exits|virtio[,file=PATH] */
int parse_log(struct options *options, char *text);

/* --capture FILE[,snap=BYTES][,stores] */
int parse_capture(struct options *options, char *text);

/* --check virtio[,fatal] */
int parse_check(struct options *options, char *text);

/* --stats[=json:FILE]; text is what follows "=", "" if nothing does */
int parse_stats(struct options *options, const char *text);

/* Checks that the argument of --stats was not taken for the kernel, a word of its own. */
int check_stats(const struct options *options);

/* --chaos SEED[,errors][,reset] */
int parse_chaos(struct options *options, char *text);

/* --gdb -|unix:PATH|tcp:PORT[,lost=wait|end] */
int parse_gdb(struct options *options, char *text);

#endif
