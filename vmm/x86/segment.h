/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_SEGMENT_H
#define VMM_X86_SEGMENT_H

/*
 * Descriptors, and what the files about segments, far transfers, interrupts and tasks share (SDM 3,
 * chapters 3 and 5 to 7). Nothing in a descriptor is believed before it is checked, and a
 * descriptor is read once for each load. "Raises" is x86_raise_code(): the function does not return
 * then.
 */

#include "x86/x86.h"

/* The error code of an exception about a selector is the selector without its RPL, with bit 0 for
 * an event from outside of the program (SDM 3, 6.13). */
#define X86_ERROR(selector, ext) (((selector)&0xfffcu) | (uint32_t)(ext))

/* Types of system segments and gates (SDM 3, table 3-2). */
#define X86_TYPE_TSS_16       0x1
#define X86_TYPE_LDT          0x2
#define X86_TYPE_BUSY         0x2 /* the bit that makes a TSS busy */
#define X86_TYPE_CALL_16      0x4
#define X86_TYPE_TASK         0x5
#define X86_TYPE_INTERRUPT_16 0x6
#define X86_TYPE_TRAP_16      0x7
#define X86_TYPE_TSS_32       0x9
#define X86_TYPE_CALL_32      0xc
#define X86_TYPE_INTERRUPT_32 0xe
#define X86_TYPE_TRAP_32      0xf
#define X86_TYPE_IS_32        0x8

/* An entry of GDT, LDT or IDT, as it was read. */
struct x86_descriptor {
	uint64_t linear; /* where it is */
	uint32_t low, high;
};

static inline uint16_t x86_descriptor_rights(const struct x86_descriptor *descriptor)
{
	return descriptor->high >> 8 & 0xf0ff;
}

/* The type with X86_SEGMENT_S, so that code and data are equal to no system type. */
static inline unsigned x86_descriptor_type(const struct x86_descriptor *descriptor)
{
	return descriptor->high >> 8 & (X86_SEGMENT_TYPE | X86_SEGMENT_S);
}

/* Of a gate. */
static inline uint16_t x86_gate_selector(const struct x86_descriptor *gate)
{
	return gate->low >> 16;
}

static inline uint32_t x86_gate_offset(const struct x86_descriptor *gate)
{
	uint32_t low = gate->low & 0xffff;

	return gate->high >> 8 & X86_TYPE_IS_32 ? (gate->high & 0xffff0000) | low : low;
}

static inline bool x86_is_code(uint16_t rights)
{
	return (rights & (X86_SEGMENT_S | X86_SEGMENT_CODE)) == (X86_SEGMENT_S | X86_SEGMENT_CODE);
}

static inline bool x86_is_conforming(uint16_t rights)
{
	return rights & X86_SEGMENT_DOWN;
}

static inline bool x86_is_writable_data(uint16_t rights)
{
	return (rights & (X86_SEGMENT_S | X86_SEGMENT_CODE | X86_SEGMENT_WRITE)) ==
	       (X86_SEGMENT_S | X86_SEGMENT_WRITE);
}

/* Data, or code that may be read. */
static inline bool x86_is_readable(uint16_t rights)
{
	return rights & X86_SEGMENT_S &&
	       (rights & (X86_SEGMENT_CODE | X86_SEGMENT_WRITE)) != X86_SEGMENT_CODE;
}

static inline bool x86_is_protected(const struct x86_cpu *cpu)
{
	return cpu->cr0 & X86_CR0_PE;
}

/* Read a selector's descriptor from GDT or LDT. False if the table has none, or if the selector is
 * a null selector. Raises #PF. */
bool x86_read_descriptor(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *descriptor);

/* The same, but raises vector with the selector and ext as error code. */
void x86_need_descriptor(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *descriptor,
	unsigned vector, unsigned ext);

/* What a segment register holds once selector is loaded. */
struct x86_segment x86_segment_of(uint16_t selector, const struct x86_descriptor *descriptor);

/* Set a code or data descriptor's accessed bit, in memory and in *descriptor; or a TSS's busy bit,
 * or clear it. Raises #PF. */
void x86_mark_accessed(struct x86_cpu *cpu, struct x86_descriptor *descriptor);
void x86_mark_busy(struct x86_cpu *cpu, struct x86_descriptor *descriptor, bool is_busy);

/* Whether [offset, offset + size) lies within the limit (SDM 3, 5.3). size is not 0. */
bool x86_is_within(const struct x86_segment *segment, uint64_t offset, unsigned size);

/*
 * Check a selector for SS at privilege cpl: a writable data segment with RPL and DPL equal to cpl.
 * Of a wrong one vector is raised with the selector, or 0 if it is a null selector; of one that is
 * not present #SS. Sets the accessed bit.
 */
struct x86_segment x86_check_stack(
	struct x86_cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector, unsigned ext);

/* Check a selector for DS, ES, FS or GS at the current privilege: null, or a segment that may be
 * read. Of a wrong one vector is raised, of one that is not present #NP. Sets the accessed bit. */
struct x86_segment x86_check_data(
	struct x86_cpu *cpu, uint16_t selector, unsigned vector, unsigned ext);

/* Keep cpu->is_flat, after CR0.PE has changed; x86_set_segment() calls it. */
void x86_update_flat(struct x86_cpu *cpu);

/* In real mode, load a segment register: base only, and what code or data needs if there is
 * nothing (SDM 3, 21.1.1). */
void x86_load_real(struct x86_cpu *cpu, enum x86_segment_register number, uint16_t selector);

/* Load CS with a code descriptor whose accessed bit is set, at privilege cpl, which becomes the
 * RPL; execution goes on at eip, which lies within the limit. */
void x86_load_code(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *descriptor,
	unsigned cpl, uint32_t eip);

#endif
