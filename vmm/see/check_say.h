/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHECK_SAY_H
#define VMM_CHECK_SAY_H

/*
 * What the referee says, for check*.c alone.
 */

#include "see/check_state.h"

/*
 * Reports that a driver broke a rule, unless that was reported of its device before. The format
 * says what it did. queue: EVENT_NO_QUEUE: it is not about a queue. The place is that of the access
 * that the event is about, or, for what a device finds in a queue, of the last kick of it.
 */
void check_broken(struct check *check, const struct event *event, enum check_rule rule, int queue,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Has the machine fail, if the user wants that: a rule was broken. */
void check_fail(struct check *check);

#endif
