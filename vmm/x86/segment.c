/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/segment.h"

#include "x86/physical.h"

/* --- descriptors ------------------------------------------------------------------------------ */

bool x86_read_descriptor(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *descriptor)
{
	uint64_t base = cpu->gdtr.base;
	uint32_t limit = cpu->gdtr.limit;
	uint64_t value;

	if (X86_IS_NULL(selector))
		return false;
	if (selector & X86_SELECTOR_TI) {
		if (!(cpu->ldtr.rights & X86_SEGMENT_P))
			return false;
		base = cpu->ldtr.base;
		limit = cpu->ldtr.limit;
	}
	if ((selector | 7u) > limit)
		return false;
	descriptor->linear = (base + (selector & 0xfff8)) & X86_LINEAR_MASK;
	value = x86_load_linear(cpu, descriptor->linear, 8, X86_READ | X86_SYSTEM);
	descriptor->low = (uint32_t)value;
	descriptor->high = (uint32_t)(value >> 32);
	return true;
}

void x86_need_descriptor(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *descriptor,
	unsigned vector, unsigned ext)
{
	if (!x86_read_descriptor(cpu, selector, descriptor))
		x86_raise_code(cpu, vector, X86_ERROR(selector, ext));
}

struct x86_segment x86_segment_of(uint16_t selector, const struct x86_descriptor *descriptor)
{
	uint32_t low = descriptor->low, high = descriptor->high;
	struct x86_segment segment = {
		.selector = selector,
		.rights = x86_descriptor_rights(descriptor),
		.limit = (high & 0x000f0000) | (low & 0xffff),
		.base = (high & 0xff000000) | (high & 0xff) << 16 | low >> 16,
	};

	if (segment.rights & X86_SEGMENT_G)
		segment.limit = segment.limit << 12 | 0xfff;
	return segment;
}

/* Bits 15:8 of the second word are its byte 5. */
static void mark_type(struct x86_cpu *cpu, struct x86_descriptor *descriptor, uint32_t high)
{
	if (high == descriptor->high)
		return;
	x86_mark_linear(cpu, (descriptor->linear + 5) & X86_LINEAR_MASK, (uint8_t)(high >> 8));
	descriptor->high = high;
}

void x86_mark_accessed(struct x86_cpu *cpu, struct x86_descriptor *descriptor)
{
	mark_type(cpu, descriptor, descriptor->high | X86_SEGMENT_ACCESSED << 8);
}

void x86_mark_busy(struct x86_cpu *cpu, struct x86_descriptor *descriptor, bool is_busy)
{
	uint32_t busy = X86_TYPE_BUSY << 8;

	mark_type(cpu, descriptor, is_busy ? descriptor->high | busy : descriptor->high & ~busy);
}

/* --- limits and rights ------------------------------------------------------------------------ */

bool x86_is_within(const struct x86_segment *segment, uint64_t offset, unsigned size)
{
	uint16_t rights = segment->rights;
	uint64_t last = offset + size - 1;

	if (rights & X86_SEGMENT_DOWN && !(rights & X86_SEGMENT_CODE))
		return offset > segment->limit &&
		       last <= (rights & X86_SEGMENT_DB ? 0xffffffff : 0xffff);
	/* An access that wraps at 4 GiB may be permitted (SDM 3, 5.3): it is, since flat segments
	 * are not checked at all. */
	return last <= segment->limit || segment->limit == 0xffffffff;
}

/* Real mode checks limits alone (SDM 3, 21.1.1). */
static bool has_rights(uint16_t rights, unsigned access)
{
	if (!(rights & X86_SEGMENT_P) || !(rights & X86_SEGMENT_S))
		return false;
	if (access & X86_EXECUTE)
		return rights & X86_SEGMENT_CODE;
	return access & X86_WRITE ? x86_is_writable_data(rights) : x86_is_readable(rights);
}

uint64_t x86_linear(struct x86_cpu *cpu, enum x86_segment_register number, uint64_t offset,
	unsigned size, enum x86_access access)
{
	const struct x86_segment *segment = &cpu->segment[number];

	if ((x86_is_protected(cpu) && !has_rights(segment->rights, access)) ||
		!x86_is_within(segment, offset, size))
		x86_raise_code(cpu, number == X86_SS ? X86_SS_FAULT : X86_GP, 0);
	return (segment->base + offset) & X86_LINEAR_MASK;
}

/* --- loads ------------------------------------------------------------------------------------ */

/* Whether operations may leave out a segment's checks and base. */
static bool is_flat(const struct x86_cpu *cpu, enum x86_segment_register number)
{
	const struct x86_segment *segment = &cpu->segment[number];

	if (segment->base != 0 || segment->limit != 0xffffffff)
		return false;
	if (!x86_is_protected(cpu))
		return !(segment->rights & X86_SEGMENT_DOWN) || segment->rights & X86_SEGMENT_CODE;
	if (number == X86_CS)
		return has_rights(segment->rights, X86_EXECUTE) && x86_is_readable(segment->rights);
	return has_rights(segment->rights, X86_WRITE) && !(segment->rights & X86_SEGMENT_DOWN);
}

void x86_update_flat(struct x86_cpu *cpu)
{
	bool flat = is_flat(cpu, X86_CS) && is_flat(cpu, X86_DS) && is_flat(cpu, X86_ES) &&
		    is_flat(cpu, X86_SS);

	if (flat == cpu->is_flat)
		return;
	cpu->is_flat = flat;
	x86_mode_changed(cpu);
}

void x86_set_segment(
	struct x86_cpu *cpu, enum x86_segment_register number, const struct x86_segment *segment)
{
	struct x86_segment old = cpu->segment[number];
	bool is_same = old.base == segment->base && old.limit == segment->limit &&
		       old.rights == segment->rights;

	cpu->segment[number] = *segment;
	if (is_same || number > X86_DS)
		return;
	x86_update_flat(cpu);
	if (number == X86_CS ||
		(number == X86_SS && (old.rights ^ segment->rights) & X86_SEGMENT_DB))
		x86_mode_changed(cpu);
}

void x86_set_cpl(struct x86_cpu *cpu, uint8_t cpl)
{
	cpu->tlb = cpu->tlbs[cpl == 3];
	if (cpl == cpu->cpl)
		return;
	cpu->cpl = cpl;
	x86_mode_changed(cpu);
}

void x86_load_real(struct x86_cpu *cpu, enum x86_segment_register number, uint16_t selector)
{
	struct x86_segment segment = cpu->segment[number];

	segment.selector = selector;
	segment.base = (uint64_t)selector << 4;
	/* Limit and rights stay, which "unreal mode" lives by; but protected mode may have left a
	 * null selector, which has neither. */
	if (!(segment.rights & X86_SEGMENT_P)) {
		segment.limit = 0xffff;
		segment.rights =
			X86_SEGMENT_P | X86_SEGMENT_S | X86_SEGMENT_WRITE | X86_SEGMENT_ACCESSED;
	}
	x86_set_segment(cpu, number, &segment);
}

void x86_load_code(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *descriptor,
	unsigned cpl, uint32_t eip)
{
	struct x86_segment segment =
		x86_segment_of((uint16_t)((selector & 0xfffc) | cpl), descriptor);

	x86_set_segment(cpu, X86_CS, &segment);
	x86_set_cpl(cpu, (uint8_t)cpl);
	cpu->next_eip = eip;
}

struct x86_segment x86_check_stack(
	struct x86_cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector, unsigned ext)
{
	uint32_t error = X86_ERROR(selector, ext);
	struct x86_descriptor descriptor;
	uint16_t rights;

	x86_need_descriptor(cpu, selector, &descriptor, vector, ext);
	rights = x86_descriptor_rights(&descriptor);
	if (X86_RPL(selector) != cpl || !x86_is_writable_data(rights) ||
		X86_SEGMENT_DPL(rights) != cpl)
		x86_raise_code(cpu, vector, error);
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_SS_FAULT, error);
	x86_mark_accessed(cpu, &descriptor);
	return x86_segment_of(selector, &descriptor);
}

struct x86_segment x86_check_data(
	struct x86_cpu *cpu, uint16_t selector, unsigned vector, unsigned ext)
{
	uint32_t error = X86_ERROR(selector, ext);
	struct x86_descriptor descriptor;
	uint16_t rights;

	if (X86_IS_NULL(selector))
		return (struct x86_segment){.selector = selector};
	x86_need_descriptor(cpu, selector, &descriptor, vector, ext);
	rights = x86_descriptor_rights(&descriptor);
	if (!x86_is_readable(rights))
		x86_raise_code(cpu, vector, error);
	if (!(x86_is_code(rights) && x86_is_conforming(rights)) &&
		(X86_RPL(selector) > X86_SEGMENT_DPL(rights) || cpu->cpl > X86_SEGMENT_DPL(rights)))
		x86_raise_code(cpu, vector, error);
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, error);
	x86_mark_accessed(cpu, &descriptor);
	return x86_segment_of(selector, &descriptor);
}

void x86_load_segment(struct x86_cpu *cpu, enum x86_segment_register number, uint16_t selector)
{
	struct x86_segment segment;

	if (!x86_is_protected(cpu)) {
		x86_load_real(cpu, number, selector);
		return;
	}
	segment = number == X86_SS ? x86_check_stack(cpu, selector, cpu->cpl, X86_GP, 0)
				   : x86_check_data(cpu, selector, X86_GP, 0);
	x86_set_segment(cpu, number, &segment);
}
