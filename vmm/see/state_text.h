/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STATE_TEXT_H
#define VMM_STATE_TEXT_H

/*
 * The report on a machine's state: a line for each CPU, and one for all that were not started; one
 * for each thing that is unusual and may be the cause, in the order in which a beginner should read
 * them; and one for each device that has a driver. All of it is bounded.
 */

#include "see/state.h"
#include "see/text.h"

/* Adds the report to text, each line indented by two spaces. */
void state_report(const struct state *state, struct text *text);

/* Parts of it. */
enum {
	STATE_TEXT_INTERRUPTS = 1, /* what keeps interrupts from CPUs */
	STATE_TEXT_DEVICES = 2,    /* what is unusual about devices, and a line for each */
};
void state_report_parts(const struct state *state, unsigned parts, struct text *text);

#endif
