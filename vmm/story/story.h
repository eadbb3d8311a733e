/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_H
#define VMM_STORY_H

/*
 * `vole story`: a page of a capture, spec/story.md, on standard output. argv[0] is that word. What
 * the page lacks, and what is wrong with the file, is said on standard error. Returns the exit
 * status: 0 if the page shows a step, else EXIT_STATUS_VOLE.
 */
int story(int argc, char **argv);

#endif
