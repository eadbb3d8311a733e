/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_IRET_H
#define VMM_X86_IRET_H

/* RET far, which is IRET without EFLAGS. */

#include "x86/x86.h"

/* Pop an instruction pointer and CS of size bytes each (2 or 4), then release parameters of so many
 * bytes. Raises #GP, #NP, #SS and #PF, having popped nothing. */
void x86_return_far(struct x86_cpu *cpu, unsigned size, uint32_t release);

#endif
