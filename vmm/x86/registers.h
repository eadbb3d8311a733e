/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_REGISTERS_H
#define VMM_X86_REGISTERS_H

/* Registers of the software CPU, and exceptions, as the SDM has them. Bits: register_bits.h. */

#include <stdint.h>

#include "cpu/register_bits.h"

/* The register file has 64 bits a register. Outside of long mode bits 63:32 are zero. */
enum x86_register {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R15 = 15,
	X86_ZERO, /* reads as 0: the base or index that an address does not have */
	X86_TEMP, /* for operations that are made of several */
	X86_REGISTERS,
};

/* Numbers of segment registers as instructions encode them (SDM 2, B.1.4.7). */
enum x86_segment_register { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_SEGMENTS };

/* A segment register with its hidden part, or LDTR or TR (SDM 3, 3.4.3). */
struct x86_segment {
	uint16_t selector;
	uint16_t rights; /* bits 23:8 of the descriptor's second word; X86_SEGMENT_ bits. 0: null */
	uint32_t limit;  /* the last byte's offset; the granularity is applied */
	uint64_t base;
};

/* Bits of x86_segment.rights (SDM 3, 3.4.5): bit n of the second word is bit n - 8 here. */
#define X86_SEGMENT_TYPE     0x000f /* with X86_SEGMENT_CODE_DATA clear: a system type */
#define X86_SEGMENT_ACCESSED 0x0001
#define X86_SEGMENT_WRITE    0x0002 /* data: writable; code: readable */
#define X86_SEGMENT_DOWN     0x0004 /* data: expand-down; code: conforming */
#define X86_SEGMENT_CODE     0x0008
#define X86_SEGMENT_S        0x0010 /* code or data; clear: a system segment */
#define X86_SEGMENT_DPL(r)   ((r) >> 5 & 3)
#define X86_SEGMENT_P        0x0080
#define X86_SEGMENT_L        0x2000
#define X86_SEGMENT_DB       0x4000
#define X86_SEGMENT_G        0x8000

/* GDTR or IDTR. */
struct x86_table {
	uint64_t base;
	uint16_t limit;
};

/* Exceptions (SDM 3, 6.15). */
enum x86_vector {
	X86_DE = 0,
	X86_DB = 1,
	X86_NMI = 2,
	X86_BP = 3,
	X86_OF_TRAP = 4,
	X86_BR = 5,
	X86_UD = 6,
	X86_NM = 7,
	X86_DF_FAULT = 8,
	X86_TS = 10,
	X86_NP = 11,
	X86_SS_FAULT = 12,
	X86_GP = 13,
	X86_PF_FAULT = 14,
	X86_AC_FAULT = 17,
	X86_NO_VECTOR = 256,
};

#endif
