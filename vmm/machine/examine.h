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
void examine_free(struct state *state);

#endif
