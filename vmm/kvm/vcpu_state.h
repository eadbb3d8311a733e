/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_STATE_H
#define VMM_VCPU_STATE_H

/*
 * The state in which a vCPU begins: what boot protocols say of it, without anything of KVM.
 */

#include <stdint.h>

struct vcpu_state {
	enum {
		VCPU_FLAT32, /* protected mode, flat 4 GiB segments, paging and interrupts off */
		VCPU_REAL16, /* real mode, interrupts off */
		VCPU_RESET,  /* as the processor comes out of reset: what follows has no meaning */
	} mode;
	uint32_t eax, ebx, esi, eip, esp;
	uint16_t code_selector, data_selector; /* in real mode a segment begins at 16 times this */
	uint32_t gdt_base;                     /* VCPU_FLAT32 only, as the next */
	uint16_t gdt_limit;
};

#endif
