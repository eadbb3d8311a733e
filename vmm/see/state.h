/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STATE_H
#define VMM_STATE_H

/*
 * The state of a machine as a copy: what each CPU does, what keeps interrupts
 * away, and what each virtio device waits for. It is for those who want to know why a guest does
 * nothing, or nothing but wait.
 *
 * machine/examine.c takes the copy while all CPUs are paused, and see/state_text.h makes the report
 * from it alone.
 */

#include <stdbool.h>

#include "chips/ioapic.h"
#include "chips/pic.h"
#include "cpu/cpu_state.h"
#include "cpu/place.h"
#include "inspect.h"

struct state_cpu {
	bool is_known; /* the engine could tell; else the rest is 0 */
	struct cpu_state state;
	struct place place; /* of its instruction: where it has halted, that of HLT; or no text */
	char callers[160];  /* "called from main+0x1f, start+0x8", or no text */
};

struct state_pin {
	const char *owner; /* what is connected to it: "block"; NULL: nothing. Not owned */
	struct ioapic_pin pin;
};

struct state_device {
	unsigned pin;
	struct virtio_view view;
	bool kicked[VIRTIO_QUEUES_MAX]; /* the device's thread has not come to this kick yet */
};

struct state {
	unsigned cpu_count;
	struct state_cpu *cpus; /* owned */

	/* The IOAPIC, if it is the machine's own and not a part of the engine. */
	bool has_ioapic;
	struct state_pin pins[IOAPIC_PINS];

	/* The PICs of a PC, if the engine tells of them. */
	bool has_pics;
	struct pic pic;
	bool uses_ioapic; /* a pin of the PC's IOAPIC sends messages */

	unsigned device_count;
	struct state_device devices[DEVICE_COUNT];
};

/* Returns whether a pin sends its messages to this local APIC, fixed interrupts and others. */
bool state_pin_reaches(const struct ioapic_pin *pin, const struct cpu_lapic *lapic);

/* Returns the number of CPUs that execute, or have executed, guest code. */
unsigned state_count_started(const struct state *state);

/* Returns whether no CPU will ever execute an instruction again: all that were started have halted
 * with interrupts off, and no NMI or INIT can come to them. */
bool state_is_dead(const struct state *state);

#endif
