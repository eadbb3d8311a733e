/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_CHECKPOINT_H
#define VMM_OPTIONS_CHECKPOINT_H

/* --checkpoint, and which options `vole clone` takes. All return 0, or -EINVAL (said). */

#include <getopt.h>

#include "options.h"

/* --checkpoint FILE[,at=TIME][,continue]. text is cut at its commas and stays in use. */
int parse_checkpoint(struct options *options, char *text);

/* Refuses what cannot be saved. Called with all options. */
int check_checkpoint(const struct options *options);

/* Refuses an option that makes the machine, which a clone has from its checkpoint. longs are all
 * options. */
int check_clone_takes(int option, const struct option *longs);

#endif
