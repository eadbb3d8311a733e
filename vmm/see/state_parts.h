/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STATE_PARTS_H
#define VMM_STATE_PARTS_H

/*
 * The parts of the report on a machine's state, for state_text.c alone. Each adds lines to text.
 */

#include "see/state.h"
#include "see/text.h"

#define LVT_MASKED (1u << 16) /* in an entry of a local vector table (Intel SDM 3, 11.5.1) */

/* --- state_cpu.c: a line for each CPU --- */

void state_report_cpus(const struct state *state, struct text *text);

/* --- state_interrupt.c: local APICs and pins that keep interrupts from a CPU --- */

void state_report_interrupts(const struct state *state, struct text *text);

/* --- state_pic.c: what a PC's PICs have in service, and what waits there --- */

void state_report_pics(const struct state *state, struct text *text);

/* --- state_device.c --- */

/* What is unusual about devices and may be the cause. */
void state_report_troubles(const struct state *state, struct text *text);

/* A line for each device that has a driver, and one about all others. */
void state_report_devices(const struct state *state, struct text *text);

#endif
