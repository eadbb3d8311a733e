/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_LOG_H
#define TESTS_FUZZ_FUZZ_LOG_H

/* Lines that were said, and the bytes of the longest, since a target has set them to 0. In
 * log.c. */
extern unsigned fuzz_log_lines;
extern int fuzz_log_longest;

#endif
