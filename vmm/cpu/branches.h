/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BRANCHES_H
#define VMM_BRANCHES_H

#include "cpu/cpu.h"

/* Says the branches that a CPU has taken last, the oldest first, up to the instruction that
 * registers have; nothing if the engine does not know them. Within a report. */
void branches_say(struct cpu *cpu, const struct cpu_registers *registers);

#endif
