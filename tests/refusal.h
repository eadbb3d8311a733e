/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_REFUSAL_H
#define TESTS_REFUSAL_H

struct options;

/* Two test points: boot_open() gives this status, and one line on standard error that has these
 * words. */
void boot_refuses(const struct options *options, int status, const char *words, const char *name);

#endif
