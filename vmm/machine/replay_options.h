/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_REPLAY_OPTIONS_H
#define VMM_REPLAY_OPTIONS_H

struct options;
struct record_setup;

/* Completes the options of a run that was recorded with those of `vole replay`: where the files are
 * on this host, where output goes, and what the user wants to see. Returns 0 or -EINVAL (said). */
int replay_options(
	struct options *run, const struct options *own, const struct record_setup *setup);

#endif
