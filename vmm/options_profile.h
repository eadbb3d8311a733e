/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_PROFILE_H
#define VMM_OPTIONS_PROFILE_H

/*
 * The option of a profile. text is cut at its commas and stays in use.
 */

struct options;

/* --profile FILE[,hz=N]. 0, or -EINVAL (said). */
int parse_profile(struct options *options, char *text);

#endif
