/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/state_text.h"

#include "see/state_parts.h"

void state_report(const struct state *state, struct text *text)
{
	state_report_cpus(state, text);
	state_report_interrupts(state, text);
	state_report_pics(state, text);
	state_report_troubles(state, text);
	state_report_devices(state, text);
}

void state_report_parts(const struct state *state, unsigned parts, struct text *text)
{
	if (parts & STATE_TEXT_INTERRUPTS) {
		state_report_interrupts(state, text);
		state_report_pics(state, text);
	}
	if (parts & STATE_TEXT_DEVICES) {
		state_report_troubles(state, text);
		state_report_devices(state, text);
	}
}
