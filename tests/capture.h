/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

/*
 * Keeps what code under test says on standard error, for tests to look at. There is one capture at
 * a time, on one thread.
 */

/* From here on standard error is kept instead of shown; what was kept before is forgotten. */
void capture_begin(void);

/* Standard error is shown again. What was said since capture_begin(), valid until the next one. */
const char *capture_end(void);

/* Lines in what was captured. */
unsigned capture_lines(const char *text);

#endif
