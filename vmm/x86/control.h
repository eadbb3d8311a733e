/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_CONTROL_H
#define VMM_X86_CONTROL_H

/* Control and debug registers, and the privilege of system instructions (SDM 3, 2.5, 18.2). */

#include "x86/x86.h"

/* CR0: bits that exist. CR4: bits that CPUID announces; no other can be set. */
#define X86_CR0_BITS                                                                   \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | \
		X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)
#define X86_CR4_BITS                                                                          \
	(X86_CR4_TSD | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_UMIP | \
		X86_CR4_SMEP | X86_CR4_SMAP)

/* DR6 and DR7 (SDM 3, 18.2.3 and 18.2.4): bits that are always set, that can be written, and what
 * is used by name. */
#define X86_DR6_ONES 0xffff0ff0u
#define X86_DR6_BITS 0x0000e00fu
#define X86_DR6_BD   0x00002000u
#define X86_DR6_BT   0x00008000u
#define X86_DR7_ONES 0x00000400u
#define X86_DR7_BITS 0xffff23ffu
#define X86_DR7_GD   0x00002000u

/* What CPUID tells of family, model and stepping, and EDX after RESET (SDM 3, 10.1.2). */
#define X86_SIGNATURE 0x6fbu

/* IA32_MISC_ENABLE: fast strings can be switched, which changes nothing; BTS and PEBS are said to
 * be unavailable, for ever (SDM 4, table 2-2). */
#define X86_MISC_ENABLE_FAST_STRINGS 0x0001u
#define X86_MISC_ENABLE_FIXED        0x1800u

/* Raise #GP(0) unless CPL is 0. */
void x86_need_cpl0(struct x86_cpu *cpu);

/* Raise #GP(0) if CR4.UMIP keeps the state of the system from a user (SDM 3, 2.5). */
void x86_need_umip_clear(struct x86_cpu *cpu);

/* Load CR3 as MOV does, without the check of privilege: PDPTEs and TLB follow. Raises #GP(0). */
void x86_load_cr3(struct x86_cpu *cpu, uint32_t value);

#endif
