/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_X86_PAGING_H
#define TESTS_X86_PAGING_H

/* Page tables that map one address, in each mode of paging. */

#include "x86_machine.h"

#define P  0x001u
#define RW 0x002u
#define US 0x004u
#define A  0x020u
#define D  0x040u
#define PS 0x080u
#define G  0x100u
#define XD (UINT64_C(1) << 63)

/* Where the tables of the tests are, and the page that they map. */
#define DIRECTORY 0x2000u
#define TABLE     0x3000u
#define POINTERS  0x4000u
#define PAGE      0x5000u
#define LINEAR    0x40123456u

/* In PAE paging LINEAR has PDPTE 1, PDE 0, PTE 0x123; in 32-bit paging PDE 0x100, PTE 0x123. */
#define PDE_32  (DIRECTORY + 4 * 0x100)
#define PTE_32  (TABLE + 4 * 0x123)
#define PDE_PAE DIRECTORY
#define PTE_PAE (TABLE + 8 * 0x123)

enum mode { MODE_32, MODE_PSE, MODE_PAE, MODE_NX };

static inline void set_mode(struct x86_machine *m, enum mode mode)
{
	struct x86_cpu *cpu = &m->cpu;

	cpu->cr0 |= X86_CR0_PG | X86_CR0_PE;
	cpu->cr4 = mode == MODE_32 ? 0 : mode == MODE_PSE ? X86_CR4_PSE : X86_CR4_PAE;
	cpu->efer = mode == MODE_NX ? X86_EFER_NXE : 0;
	cpu->cr3 = mode >= MODE_PAE ? POINTERS : DIRECTORY;
	cpu->pdpte[1] = DIRECTORY | P;
	cpu->eflags = X86_FLAG_ONE;
	x86_tlb_flush(cpu, false);
}

static inline bool is_pae(enum mode mode)
{
	return mode >= MODE_PAE;
}

static inline void set_entries(struct x86_machine *m, enum mode mode, uint64_t pde, uint64_t pte)
{
	if (is_pae(mode)) {
		x86_machine_store64(m, PDE_PAE, pde);
		x86_machine_store64(m, PTE_PAE, pte);
	} else {
		x86_machine_store(m, PDE_32, (uint32_t)pde);
		x86_machine_store(m, PTE_32, (uint32_t)pte);
	}
	x86_tlb_flush(&m->cpu, false);
}

static inline uint32_t pde_now(const struct x86_machine *m, enum mode mode)
{
	return x86_machine_load(m, is_pae(mode) ? PDE_PAE : PDE_32);
}

static inline uint32_t pte_now(const struct x86_machine *m, enum mode mode)
{
	return x86_machine_load(m, is_pae(mode) ? PTE_PAE : PTE_32);
}

#endif
