/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LOG_H
#define VMM_LOG_H

/*
 * vole's own words: one line on standard error, "vole: " before it. Standard output is the guest's.
 * Each message is one write(2), so lines of different threads do not mix.
 */

/* No newline in the text. Any thread. errno is kept. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
