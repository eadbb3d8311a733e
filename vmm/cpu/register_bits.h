/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_REGISTER_BITS_H
#define VMM_CPU_REGISTER_BITS_H

/* Bits of the processor's registers, for engines and for those who read struct cpu_registers. */

/* EFLAGS (Intel SDM 1, 3.4.3). */
#define X86_CF         0x00000001u
#define X86_FLAG_ONE   0x00000002u /* always set */
#define X86_PF         0x00000004u
#define X86_AF         0x00000010u
#define X86_ZF         0x00000040u
#define X86_SF         0x00000080u
#define X86_TF         0x00000100u
#define X86_IF         0x00000200u
#define X86_DF         0x00000400u
#define X86_OF         0x00000800u
#define X86_IOPL(f)    ((f) >> 12 & 3)
#define X86_IOPL_MASK  0x00003000u
#define X86_NT         0x00004000u
#define X86_RF         0x00010000u
#define X86_VM         0x00020000u
#define X86_AC         0x00040000u
#define X86_VIF        0x00080000u
#define X86_VIP        0x00100000u
#define X86_ID         0x00200000u
#define X86_ARITHMETIC (X86_CF | X86_PF | X86_AF | X86_ZF | X86_SF | X86_OF)
/* All others that can be set, without virtual-8086 mode. */
#define X86_CONTROL_FLAGS                                                                          \
	(X86_TF | X86_IF | X86_DF | X86_IOPL_MASK | X86_NT | X86_RF | X86_AC | X86_VIF | X86_VIP | \
		X86_ID)

/* Control registers (Intel SDM 3, 2.5). */
#define X86_CR0_PE   0x00000001u
#define X86_CR0_MP   0x00000002u
#define X86_CR0_EM   0x00000004u
#define X86_CR0_TS   0x00000008u
#define X86_CR0_ET   0x00000010u
#define X86_CR0_NE   0x00000020u
#define X86_CR0_WP   0x00010000u
#define X86_CR0_AM   0x00040000u
#define X86_CR0_NW   0x20000000u
#define X86_CR0_CD   0x40000000u
#define X86_CR0_PG   0x80000000u
#define X86_CR4_VME  0x0001u
#define X86_CR4_PVI  0x0002u
#define X86_CR4_TSD  0x0004u
#define X86_CR4_DE   0x0008u
#define X86_CR4_PSE  0x0010u
#define X86_CR4_PAE  0x0020u
#define X86_CR4_MCE  0x0040u
#define X86_CR4_PGE  0x0080u
#define X86_CR4_PCE  0x0100u
#define X86_CR4_UMIP 0x0800u
#define X86_CR4_LA57 0x1000u
#define X86_CR4_SMEP 0x100000u
#define X86_CR4_SMAP 0x200000u

/* EFER (Intel SDM 3, 2.2.1). */
#define X86_EFER_LME 0x0100u
#define X86_EFER_LMA 0x0400u
#define X86_EFER_NXE 0x0800u

/* Selectors (Intel SDM 3, 3.4.2). */
#define X86_SELECTOR_RPL      0x3u
#define X86_SELECTOR_TI       0x4u /* in the LDT */
#define X86_RPL(selector)     ((selector)&X86_SELECTOR_RPL)
#define X86_IS_NULL(selector) (((selector)&0xfffc) == 0)

#endif
