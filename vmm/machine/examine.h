/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EXAMINE_H
#define VMM_EXAMINE_H

/*
 * Takes a copy of a machine's state, for reports. Looking changes nothing that the guest could see.
 */

#include "see/state.h"

struct vm;

/* Sets *state. All CPUs are paused or have ended (engine_ops.pause(), stop()). I/O thread. Returns
 * 0, or -ENOMEM (said). After 0 the caller calls examine_free(). */
int examine(struct vm *vm, struct state *state);

/* Sets the devices of *state alone, in which the rest is 0: what waits in their queues at the
 * moment. CPUs and devices may go on meanwhile. I/O thread. */
void examine_queues(struct vm *vm, struct state *state);

/* Adds what CPUs do, without their places, and the IOAPIC's pins. As examine(), but an error is not
 * said. */
int examine_activity(struct vm *vm, struct state *state);

/* Frees what belongs to *state, which may be all 0. */
void examine_free(struct state *state);

#endif
