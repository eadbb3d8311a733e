/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FLOAT_CODE_H
#define VMM_FLOAT_CODE_H

/*
 * Recognises the instructions of the x87 FPU, MMX, SSE and AVX (Intel SDM 2, appendix A). A
 * compiler that is not told otherwise puts them into kernels without being asked, which then crash
 * wherever nobody has switched them on, or the host's KVM lacks them.
 */

#include "cpu/cpu.h"

/* Returns whether such an instruction begins with these bytes, in 32- or 64-bit code. */
bool is_float_code(const uint8_t *code, size_t len);

/* Says in a crash report that the instruction at a linear address is one of them, if it is and
 * warn_lacking() has not advised on it already. In a callback of this CPU. */
void say_float_code(struct cpu *cpu, uint64_t address);

#endif
