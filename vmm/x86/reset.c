/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "x86/control.h"
#include "x86/segment.h"

#define DATA_RIGHTS (X86_SEGMENT_P | X86_SEGMENT_S | X86_SEGMENT_WRITE | X86_SEGMENT_ACCESSED)

#define PAT_INIT UINT64_C(0x0007040600070406) /* SDM 3, 12.12.4 */

static void reset_segments(struct x86_cpu *cpu)
{
	static const struct x86_segment data = {.rights = DATA_RIGHTS, .limit = 0xffff};
	struct x86_segment code = {
		.selector = 0xf000,
		.rights = DATA_RIGHTS | X86_SEGMENT_CODE,
		.limit = 0xffff,
		.base = 0xffff0000,
	};

	for (unsigned i = 0; i < X86_SEGMENTS; i++)
		x86_set_segment(cpu, i, i == X86_CS ? &code : &data);
	cpu->ldtr = (struct x86_segment){.rights = X86_SEGMENT_P | X86_TYPE_LDT, .limit = 0xffff};
	cpu->tr = (struct x86_segment){
		.rights = X86_SEGMENT_P | X86_TYPE_TSS_32 | X86_TYPE_BUSY, .limit = 0xffff};
	cpu->gdtr = (struct x86_table){.limit = 0xffff};
	cpu->idtr = (struct x86_table){.limit = 0xffff};
}

/* What INIT leaves alone (SDM 3, table 10-1). */
static void reset_model_specific(struct x86_cpu *cpu)
{
	cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
	cpu->pat = PAT_INIT;
	cpu->misc_enable = X86_MISC_ENABLE_FIXED | X86_MISC_ENABLE_FAST_STRINGS;
	cpu->tsc_offset = cpu->tsc_aux = 0;
}

void x86_cpu_reset(struct x86_cpu *cpu, bool is_init)
{
	uint32_t caching = X86_CR0_CD | X86_CR0_NW;
	uint64_t kept = is_init ? cpu->cr0 & caching : caching;

	memset(cpu->reg, 0, sizeof cpu->reg);
	cpu->reg[X86_RDX] = X86_SIGNATURE;
	cpu->cr0 = X86_CR0_ET | kept;
	cpu->cr2 = cpu->cr3 = cpu->cr4 = cpu->efer = 0;
	memset(cpu->pdpte, 0, sizeof cpu->pdpte);
	memset(cpu->dr, 0, sizeof cpu->dr);
	cpu->dr[6] = X86_DR6_ONES;
	cpu->dr[7] = X86_DR7_ONES;
	cpu->eflags = X86_FLAG_ONE;
	x86_set_eflags(cpu, 0, X86_ARITHMETIC);
	x86_set_cpl(cpu, 0);
	reset_segments(cpu);
	cpu->eip = cpu->next_eip = 0xfff0;
	cpu->halted = cpu->shadow = cpu->nmi_pending = cpu->nmi_masked = cpu->yielded = false;
	cpu->fault_count = 0;
	cpu->missing = X86_MISSING_NOTHING;
	cpu->refused = false;
	cpu->saves_task = false;
	if (!is_init)
		reset_model_specific(cpu);
	x86_tlb_flush(cpu, false);
	x86_mode_changed(cpu);
}

void x86_refuse(struct x86_cpu *cpu, enum x86_missing missing)
{
	x86_note_missing(cpu, missing);
	cpu->refused = true;
	x86_abandon(cpu);
}
