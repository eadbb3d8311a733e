/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

/*
 * TAP for unit tests: one test point per ok(), numbered, failures with file and line. main() ends
 * with return tap_done(); a program that dies before it has no plan, which prove counts as a
 * failure.
 */

#include <stdbool.h>
#include <stdint.h>

/* One test point. The name says what holds, with its clause: "2.7.5.2 a looped chain is refused".
 * Evaluates to the condition. */
#define ok(condition, ...) tap_ok((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

/* The same for two numbers; both are shown on failure. */
#define is(got, expected, ...) \
	tap_is((uint64_t)(got), (uint64_t)(expected), #got, __FILE__, __LINE__, __VA_ARGS__)

bool tap_ok(bool pass, const char *expression, const char *file, int line, const char *name, ...)
	__attribute__((format(printf, 5, 6)));
bool tap_is(uint64_t got, uint64_t expected, const char *expression, const char *file, int line,
	const char *name, ...) __attribute__((format(printf, 6, 7)));

/* What the names of the following points begin with; "" for nothing. Not copied. */
void tap_prefix(const char *prefix);

/* Prints the plan; the value is main()'s. */
int tap_done(void);

#endif
