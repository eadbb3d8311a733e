/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_RESULTS_H
#define VMM_OPTIONS_RESULTS_H

/*
 * The option of a profile. text is cut at its commas and stays in use.
 */

struct options;

/* Samples a second at most. */
#define PROFILE_HZ_MAX 100000000u

/* Takes the file of an option, name, that may be given once: sets *path, NULL before. 0, or -EINVAL
 * (said). */
int parse_path(const char *name, const char *text, const char **path);

/* --profile FILE[,hz=N]. 0, or -EINVAL (said). */
int parse_profile(struct options *options, char *text);

#endif
