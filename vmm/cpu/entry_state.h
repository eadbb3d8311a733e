/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ENTRY_STATE_H
#define VMM_ENTRY_STATE_H

/*
 * The state of a CPU at its first instruction. Boot protocols choose it, engines set it.
 */

#include <stdint.h>

struct entry_state {
	enum {
		ENTRY_FLAT32, /* protected mode, flat 4 GiB segments, paging and interrupts off */
		ENTRY_REAL16, /* real mode, interrupts off */
		ENTRY_RESET,  /* as the processor comes out of reset: what follows has no meaning */
	} mode;
	uint32_t eax, ebx, esi, eip, esp;
	uint16_t code_selector, data_selector; /* in real mode a segment begins at 16 times this */
	uint32_t gdt_base, idt_base;           /* ENTRY_FLAT32 only, as the next */
	uint16_t gdt_limit, idt_limit;         /* limit 0: there is no table */
};

/* The address of the first instruction after reset (Intel SDM 3, 10.1.4). */
#define RESET_VECTOR 0xfffffff0u

/* The address of the first instruction. */
static inline uint32_t entry_address(const struct entry_state *state)
{
	switch (state->mode) {
	case ENTRY_REAL16:
		return 16u * state->code_selector + state->eip;
	case ENTRY_RESET:
		return RESET_VECTOR;
	default:
		return state->eip;
	}
}

#endif
