/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SELECTORS_H
#define VMM_SELECTORS_H

/*
 * Which selectors an instruction loads into segment registers: those whose descriptors the CPU
 * marks as accessed (Intel SDM 3, 3.4.5.1).
 *
 * Pure code on copies of the registers: guest memory is only read, through emulate.read.
 */

#include "kvm/emulate.h"

#define SELECTORS_MAX 2

/*
 * Stores the selectors that the instruction at CS:RIP loads, of which the first len bytes are
 * given, and returns their number: 0 to SELECTORS_MAX, 0 also for what cannot be read. Instructions
 * are MOV, POP, LDS to LGS, far JMP, CALL and RET, and IRET; of a call gate the gate's selector is
 * stored. In protected mode, also in 64-bit and compatibility mode.
 */
unsigned selectors_of_instruction(const struct emulate *e, const uint8_t *bytes, size_t len,
	uint16_t selectors[SELECTORS_MAX]);

#endif
