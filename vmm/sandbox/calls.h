/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_CALLS_H
#define VMM_SANDBOX_CALLS_H

/*
 * The system calls that every machine needs after its start, each with its reason. Engines add
 * their own (engine_ops.permit). spec/security.md has the same list.
 */

#include "sandbox/rules.h"

void calls_add(struct rules *rules);

/* Adds the system calls by which a checkpoint is handed over to clones (machine/keeper.h). */
void calls_add_keeper(struct rules *rules);

#endif
