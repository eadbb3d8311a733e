/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a CPU in a stream. The run loop relies on some of it, and what a guest could not
 * have brought about is refused. Decoded code and the TLB are not part of it: see x86_forget().
 */
#include "x86/state.h"

#include "snapshot/stream.h"
#include "x86/block.h"
#include "x86/control.h"
#include "x86/segment.h"

/* EFLAGS without X86_ARITHMETIC, as x86_cpu.eflags has them. There is no virtual-8086 mode. */
#define EFLAGS_BITS (X86_FLAG_ONE | X86_CONTROL_FLAGS)

void x86_forget(struct x86_cpu *cpu)
{
	cpu->insn = NULL;
	x86_tlb_flush(cpu, false);
	x86_cache_flush(cpu);
}

static void transfer_segment(struct x86_segment *segment, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, segment->selector);
	SNAPSHOT_FIELD(stream, segment->rights);
	SNAPSHOT_FIELD(stream, segment->limit);
	SNAPSHOT_FIELD(stream, segment->base);
	snapshot_check(stream, segment->base <= UINT32_MAX, "a segment's base is above 4 GiB");
}

static void transfer_table(struct x86_table *table, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, table->base);
	SNAPSHOT_FIELD(stream, table->limit);
	snapshot_check(stream, table->base <= UINT32_MAX, "a table's base is above 4 GiB");
}

static void transfer_general(struct x86_cpu *cpu, struct snapshot_stream *stream)
{
	for (unsigned i = 0; i <= X86_R15; i++) {
		SNAPSHOT_FIELD(stream, cpu->reg[i]);
		snapshot_check(stream, cpu->reg[i] <= (i < X86_R8 ? UINT32_MAX : 0),
			"register %u is too large", i);
	}
	SNAPSHOT_FIELD(stream, cpu->eip);
	SNAPSHOT_FIELD(stream, cpu->eflags);
	SNAPSHOT_FIELD(stream, cpu->flags_result);
	SNAPSHOT_FIELD(stream, cpu->flags_carry);
	snapshot_check(stream, cpu->eip <= UINT32_MAX, "EIP is too large");
	snapshot_check(stream, !(cpu->eflags & ~EFLAGS_BITS) && cpu->eflags & X86_FLAG_ONE,
		"EFLAGS 0x%x", cpu->eflags);
	cpu->next_eip = cpu->eip;
}

static void check_control(const struct x86_cpu *cpu, struct snapshot_stream *stream)
{
	bool is_protected = cpu->cr0 & X86_CR0_PE;

	snapshot_check(stream,
		!(cpu->cr0 & ~(uint64_t)X86_CR0_BITS) && (is_protected || !(cpu->cr0 & X86_CR0_PG)),
		"CR0 has bits that do not go together");
	snapshot_check(stream, !(cpu->cr4 & ~(uint64_t)X86_CR4_BITS), "CR4 has reserved bits");
	snapshot_check(stream, !(cpu->efer & ~(uint64_t)X86_EFER_NXE), "EFER has reserved bits");
	snapshot_check(stream, cpu->cr2 <= UINT32_MAX && cpu->cr3 <= UINT32_MAX,
		"CR2 or CR3 is too large");
	snapshot_check(
		stream, cpu->cpl <= 3 && (is_protected || cpu->cpl == 0), "CPL %u", cpu->cpl);
}

static void transfer_control(struct x86_cpu *cpu, struct snapshot_stream *stream)
{
	uint8_t cpl = cpu->cpl;

	SNAPSHOT_FIELD(stream, cpu->cr0);
	SNAPSHOT_FIELD(stream, cpu->cr2);
	SNAPSHOT_FIELD(stream, cpu->cr3);
	SNAPSHOT_FIELD(stream, cpu->cr4);
	SNAPSHOT_FIELD(stream, cpu->efer);
	SNAPSHOT_FIELD(stream, cpu->pdpte);
	SNAPSHOT_FIELD(stream, cpl);
	x86_set_cpl(cpu, cpl);
	check_control(cpu, stream);
	for (unsigned i = 0; i < 8; i++) {
		SNAPSHOT_FIELD(stream, cpu->dr[i]);
		snapshot_check(stream, cpu->dr[i] <= UINT32_MAX, "DR%u is too large", i);
	}
}

static void transfer_segments(struct x86_cpu *cpu, struct snapshot_stream *stream)
{
	for (unsigned i = 0; i < X86_SEGMENTS; i++) {
		struct x86_segment segment = cpu->segment[i];

		transfer_segment(&segment, stream);
		x86_set_segment(cpu, i, &segment);
	}
	transfer_segment(&cpu->ldtr, stream);
	transfer_segment(&cpu->tr, stream);
	transfer_table(&cpu->gdtr, stream);
	transfer_table(&cpu->idtr, stream);
	x86_update_flat(cpu);
}

static void transfer_model_specific(struct x86_cpu *cpu, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, cpu->sysenter_cs);
	SNAPSHOT_FIELD(stream, cpu->sysenter_esp);
	SNAPSHOT_FIELD(stream, cpu->sysenter_eip);
	SNAPSHOT_FIELD(stream, cpu->pat);
	SNAPSHOT_FIELD(stream, cpu->misc_enable);
	SNAPSHOT_FIELD(stream, cpu->tsc_offset);
	SNAPSHOT_FIELD(stream, cpu->tsc_aux);
	snapshot_check(stream,
		cpu->sysenter_cs <= UINT32_MAX && cpu->sysenter_esp <= UINT32_MAX &&
			cpu->sysenter_eip <= UINT32_MAX && cpu->tsc_aux <= UINT32_MAX,
		"an MSR is too large");
}

/* What is said of what the guest lacks is said again: the clone's user has not seen it. */
static void transfer_events(struct x86_cpu *cpu, struct snapshot_stream *stream)
{
	snapshot_bool(stream, &cpu->halted);
	snapshot_bool(stream, &cpu->shadow);
	snapshot_bool(stream, &cpu->nmi_pending);
	snapshot_bool(stream, &cpu->nmi_masked);
	SNAPSHOT_FIELD(stream, cpu->instructions);
	if (!stream->is_reading)
		return;
	cpu->missing = X86_MISSING_NOTHING;
	cpu->fault_count = 0;
	cpu->yielded = cpu->refused = cpu->saves_task = false;
}

void x86_transfer(struct x86_cpu *cpu, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "CPU ", cpu->id);
	transfer_general(cpu, stream);
	transfer_control(cpu, stream);
	transfer_segments(cpu, stream);
	transfer_model_specific(cpu, stream);
	transfer_events(cpu, stream);
	snapshot_end(stream);
	x86_mode_changed(cpu);
	x86_forget(cpu);
}
