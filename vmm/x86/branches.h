/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_BRANCHES_H
#define VMM_X86_BRANCHES_H

/*
 * The branches that a CPU has taken last, worked out from the trail of its blocks (trail.h).
 */

#include "cpu/cpu.h"
#include "x86/x86.h"

/* The last branches up to CS:EIP now, the oldest first. Returns how many: at most max, fewer if
 * what came before them is not known. The CPU is not executing, or is in a bus function. */
unsigned x86_branches(const struct x86_cpu *cpu, struct cpu_branch *branches, unsigned max);

#endif
