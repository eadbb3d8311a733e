/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/emulate.h"

#include <errno.h>
#include <string.h>

#include "cpu/register_bits.h"

/* Intel SDM 3, 2.3: EFLAGS. */
#define FLAGS_USER 0x4dd5u /* CF PF AF ZF SF TF DF OF NT: any code may set them */

/* Intel SDM 3, 3.4.5.1: the type of a code or data segment. */
#define TYPE_ACCESSED    0x1
#define TYPE_WRITABLE    0x2 /* data */
#define TYPE_EXPAND_DOWN 0x4 /* data */
#define TYPE_CONFORMING  0x4 /* code */
#define TYPE_CODE        0x8

/* Intel SDM 3, 6.11: the type of a gate; bit 3 of the interrupt and trap gates means 32 bits. */
#define GATE_TASK      0x5
#define GATE_INTERRUPT 0x6
#define GATE_TRAP      0x7
#define GATE_WIDE      0x8

#define TSS64_IST1 0x24 /* Intel SDM 3, 8.7: where the first of seven stack pointers is */

#define VECTOR_BREAKPOINT 3
#define VECTOR_OVERFLOW   4

/* --- segments --------------------------------------------------------------------------------- */

static bool segment_is_code(const struct kvm_segment *segment)
{
	return segment->s && segment->type & TYPE_CODE;
}

static bool segment_is_conforming(const struct kvm_segment *segment)
{
	return segment_is_code(segment) && segment->type & TYPE_CONFORMING;
}

static bool segment_is_writable(const struct kvm_segment *segment)
{
	return segment->s && !(segment->type & TYPE_CODE) && segment->type & TYPE_WRITABLE;
}

/* Whether [offset, offset + len) lies within a segment's limit. len is not 0. */
static bool segment_covers(const struct kvm_segment *segment, uint32_t offset, uint32_t len)
{
	uint64_t last = (uint64_t)offset + len - 1;

	if (!(segment->type & TYPE_CODE) && segment->type & TYPE_EXPAND_DOWN)
		return offset > segment->limit && last <= (segment->db ? 0xffffffffu : 0xffffu);
	return last <= segment->limit;
}

static bool in_long_mode(const struct emulate *e)
{
	return e->sregs.efer & X86_EFER_LMA;
}

/* Linear addresses wrap at 4 GiB outside of long mode (Intel SDM 3, 3.3). */
static uint64_t linear(const struct emulate *e, uint64_t base, uint32_t offset)
{
	return in_long_mode(e) ? base + offset : (uint32_t)(base + offset);
}

/* Intel SDM 3, 3.4.5: a segment register's hidden part, out of the descriptor. The accessed bit is
 * set in the copy alone, as VMX wants to see it; the one in memory tells no kernel anything. */
static struct kvm_segment segment_unpack(uint16_t selector, uint64_t descriptor)
{
	struct kvm_segment segment = {
		.base = (descriptor >> 16 & 0xffffff) | (descriptor >> 56 & 0xff) << 24,
		.limit = (uint32_t)((descriptor & 0xffff) | (descriptor >> 32 & 0xf0000)),
		.selector = selector,
		.type = descriptor >> 40 & 0xf,
		.s = descriptor >> 44 & 1,
		.dpl = descriptor >> 45 & 3,
		.present = descriptor >> 47 & 1,
		.avl = descriptor >> 52 & 1,
		.l = descriptor >> 53 & 1,
		.db = descriptor >> 54 & 1,
		.g = descriptor >> 55 & 1,
	};

	if (segment.g)
		segment.limit = segment.limit << 12 | 0xfff;
	segment.type |= segment.s ? TYPE_ACCESSED : 0;
	return segment;
}

/* The descriptor of a selector, from GDT or LDT. 0, or -EFAULT if it is null or outside. */
static int segment_read(const struct emulate *e, uint16_t selector, struct kvm_segment *segment)
{
	uint16_t offset = selector & ~(X86_SELECTOR_RPL | X86_SELECTOR_TI);
	uint64_t base = e->sregs.gdt.base, descriptor;
	uint32_t limit = e->sregs.gdt.limit;

	if (selector & X86_SELECTOR_TI) {
		if (e->sregs.ldt.unusable)
			return -EFAULT;
		base = e->sregs.ldt.base;
		limit = e->sregs.ldt.limit;
	} else if (offset == 0) {
		return -EFAULT;
	}
	if (offset + sizeof descriptor - 1 > limit ||
		e->read(e->ctx, linear(e, base, offset), &descriptor, sizeof descriptor) != 0)
		return -EFAULT;
	*segment = segment_unpack(selector, descriptor);
	return 0;
}

/* --- the stack -------------------------------------------------------------------------------- */

static uint32_t stack_mask(const struct kvm_segment *ss)
{
	return ss->db ? 0xffffffffu : 0xffffu;
}

/* With a 16-bit stack only SP changes. */
static void stack_pointer_set(struct emulate *e, uint32_t value)
{
	uint32_t mask = stack_mask(&e->sregs.ss);

	e->regs.rsp = ((uint32_t)e->regs.rsp & ~mask) | (value & mask);
}

/* The value of size bytes at index items above the stack pointer. */
static int stack_read(const struct emulate *e, unsigned index, unsigned size, uint32_t *value)
{
	const struct kvm_segment *ss = &e->sregs.ss;
	uint32_t offset = ((uint32_t)e->regs.rsp + index * size) & stack_mask(ss);

	*value = 0;
	if (!segment_covers(ss, offset, size))
		return -EFAULT;
	return e->read(e->ctx, linear(e, ss->base, offset), value, size);
}

/* Push three items, the first one deepest; all or nothing. */
static int stack_push3(struct emulate *e, const uint32_t items[3], unsigned size)
{
	const struct kvm_segment *ss = &e->sregs.ss;
	uint32_t offset = ((uint32_t)e->regs.rsp - 3 * size) & stack_mask(ss);
	uint8_t bytes[3 * sizeof *items];
	int err;

	for (unsigned i = 0; i < 3; i++)
		memcpy(bytes + (2 - i) * size, &items[i], size); /* x86: low bytes first */
	if (!segment_covers(ss, offset, 3 * size))
		return -EFAULT;
	err = e->write(e->ctx, linear(e, ss->base, offset), bytes, 3 * size);
	if (err == 0)
		stack_pointer_set(e, offset);
	return err;
}

/* --- iret ------------------------------------------------------------------------------------- */

/* The code segment that iret returns to. Intel SDM 2, IRET, PROTECTED-MODE-RETURN. */
static int iret_code_segment(
	const struct emulate *e, uint16_t selector, unsigned cpl, struct kvm_segment *cs)
{
	unsigned rpl = X86_RPL(selector);
	int err = segment_read(e, selector, cs);

	if (err != 0)
		return err;
	if (!segment_is_code(cs) || !cs->present || rpl < cpl)
		return -EFAULT;
	if (segment_is_conforming(cs) ? cs->dpl > rpl : cs->dpl != rpl)
		return -EFAULT;
	return 0;
}

/* A return to an outer level leaves no data segment behind that the level has no right to. */
static void data_segment_drop(struct kvm_segment *segment, unsigned cpl)
{
	if (!segment->unusable && segment->dpl < cpl && !segment_is_conforming(segment))
		*segment = (struct kvm_segment){.unusable = 1};
}

/* The stack of an outer level: SS and ESP lie above the frame. RETURN-TO-OUTER-PRIVILEGE-LEVEL. */
static int iret_outer_stack(struct emulate *e, unsigned size, unsigned rpl)
{
	struct kvm_sregs *sregs = &e->sregs;
	struct kvm_segment ss;
	uint32_t esp, selector;
	int err = stack_read(e, 3, size, &esp);

	if (err == 0)
		err = stack_read(e, 4, size, &selector);
	if (err == 0)
		err = segment_read(e, (uint16_t)selector, &ss);
	if (err != 0)
		return err;
	if (X86_RPL(selector) != rpl || ss.dpl != rpl || !ss.present || !segment_is_writable(&ss))
		return -EFAULT;
	sregs->ss = ss;
	stack_pointer_set(e, esp);
	data_segment_drop(&sregs->ds, rpl);
	data_segment_drop(&sregs->es, rpl);
	data_segment_drop(&sregs->fs, rpl);
	data_segment_drop(&sregs->gs, rpl);
	return 0;
}

/* EFLAGS after iret; cpl is the level before it. */
static uint32_t iret_flags(uint32_t old, uint32_t popped, unsigned size, unsigned cpl)
{
	uint32_t mask = FLAGS_USER;

	if (size == 4)
		mask |= X86_RF | X86_AC | X86_ID;
	if (cpl <= X86_IOPL(old))
		mask |= X86_IF;
	if (cpl == 0)
		mask |= X86_IOPL_MASK | (size == 4 ? X86_VIF | X86_VIP : 0);
	return (old & ~mask) | (popped & mask);
}

/* All that can fail comes before the first change. */
static int iret(struct emulate *e, unsigned size)
{
	uint32_t old_flags = (uint32_t)e->regs.rflags, eip, selector, flags;
	unsigned cpl = e->sregs.ss.dpl;
	struct kvm_segment cs;
	int err = stack_read(e, 0, size, &eip);

	if (err == 0)
		err = stack_read(e, 1, size, &selector);
	if (err == 0)
		err = stack_read(e, 2, size, &flags);
	if (err != 0)
		return err;
	if (flags & X86_VM && cpl == 0)
		return -EOPNOTSUPP; /* into virtual-8086 mode */
	err = iret_code_segment(e, (uint16_t)selector, cpl, &cs);
	if (err != 0)
		return err;
	if (eip > cs.limit)
		return -EFAULT;
	if (X86_RPL(selector) > cpl) {
		err = iret_outer_stack(e, size, X86_RPL(selector));
		if (err != 0)
			return err;
	} else {
		stack_pointer_set(e, (uint32_t)e->regs.rsp + 3 * size);
	}
	e->sregs.cs = cs;
	e->regs.rip = eip;
	e->regs.rflags = iret_flags(old_flags, flags, size, cpl);
	return 0;
}

/* --- int n ------------------------------------------------------------------------------------ */

/* A gate of the IDT, out of its descriptor. Intel SDM 3, 6.11. */
struct gate {
	unsigned type, dpl;
	bool present;
	uint16_t selector;
	uint32_t offset;
};

static int gate_read(const struct emulate *e, uint8_t vector, struct gate *gate)
{
	uint32_t offset = vector * 8u;
	uint64_t descriptor;

	if (offset + sizeof descriptor - 1 > e->sregs.idt.limit ||
		e->read(e->ctx, linear(e, e->sregs.idt.base, offset), &descriptor,
			sizeof descriptor) != 0)
		return -EFAULT;
	*gate = (struct gate){
		.type = descriptor >> 40 & 0x1f,
		.dpl = descriptor >> 45 & 3,
		.present = descriptor >> 47 & 1,
		.selector = (uint16_t)(descriptor >> 16),
		.offset = (uint32_t)((descriptor & 0xffff) | (descriptor >> 32 & 0xffff0000)),
	};
	return 0;
}

/* Intel SDM 2, INT n, PROTECTED-MODE, INTRA-PRIVILEGE-LEVEL-INTERRUPT. */
static int software_interrupt(struct emulate *e, uint8_t vector, uint32_t next_eip)
{
	uint32_t flags = (uint32_t)e->regs.rflags;
	unsigned cpl = e->sregs.ss.dpl, kind;
	struct kvm_segment cs;
	struct gate gate;
	int err = gate_read(e, vector, &gate);

	if (err != 0)
		return err;
	if (gate.type == GATE_TASK)
		return -EOPNOTSUPP;
	kind = gate.type & ~GATE_WIDE;
	if ((kind != GATE_INTERRUPT && kind != GATE_TRAP) || !gate.present || gate.dpl < cpl)
		return -EFAULT;
	if (!(gate.type & GATE_WIDE))
		gate.offset &= 0xffff;
	err = segment_read(e, gate.selector, &cs);
	if (err != 0)
		return err;
	if (!segment_is_code(&cs) || !cs.present || cs.dpl > cpl || gate.offset > cs.limit)
		return -EFAULT;
	if (!segment_is_conforming(&cs) && cs.dpl < cpl)
		return -EOPNOTSUPP; /* to an inner level */
	err = stack_push3(e, (uint32_t[]){flags & ~X86_RF, e->sregs.cs.selector, next_eip},
		gate.type & GATE_WIDE ? 4 : 2);
	if (err != 0)
		return err;
	cs.selector = (uint16_t)((cs.selector & ~X86_SELECTOR_RPL) | cpl);
	e->sregs.cs = cs;
	e->regs.rip = gate.offset;
	e->regs.rflags = flags & ~(X86_TF | X86_NT | X86_RF | X86_VM |
					 (kind == GATE_INTERRUPT ? X86_IF : 0));
	return 0;
}

/* --- int n in 64-bit mode --------------------------------------------------------------------- */

/* Intel SDM 3, 6.14.1: a gate has 16 bytes, and may name one of seven stacks. */
struct gate64 {
	unsigned type, dpl, ist;
	bool present;
	uint16_t selector;
	uint64_t offset;
};

static int gate64_read(const struct emulate *e, uint8_t vector, struct gate64 *gate)
{
	uint32_t offset = vector * 16u;
	uint64_t descriptor[2];

	if (offset + sizeof descriptor - 1 > e->sregs.idt.limit ||
		e->read(e->ctx, linear(e, e->sregs.idt.base, offset), descriptor,
			sizeof descriptor) != 0)
		return -EFAULT;
	*gate = (struct gate64){
		.type = descriptor[0] >> 40 & 0x1f,
		.dpl = descriptor[0] >> 45 & 3,
		.ist = descriptor[0] >> 32 & 7,
		.present = descriptor[0] >> 47 & 1,
		.selector = (uint16_t)(descriptor[0] >> 16),
		.offset = (descriptor[0] & 0xffff) | (descriptor[0] >> 32 & 0xffff0000) |
			  descriptor[1] << 32,
	};
	return 0;
}

/* The stack that an interrupt is delivered on: the current one, or one of the task state segment's.
 * Intel SDM 3, 6.14.2 and 8.7. */
static int stack64(const struct emulate *e, unsigned ist, uint64_t *rsp)
{
	uint32_t offset = TSS64_IST1 + (ist - 1) * sizeof *rsp;

	*rsp = e->regs.rsp;
	if (ist > 0 && (offset + sizeof *rsp - 1 > e->sregs.tr.limit ||
			       e->read(e->ctx, linear(e, e->sregs.tr.base, offset), rsp,
				       sizeof *rsp) != 0))
		return -EFAULT;
	*rsp &= ~15ull;
	return 0;
}

/* Intel SDM 2, INT n, IA-32e-MODE, INTRA-PRIVILEGE-LEVEL-INTERRUPT. */
static int software_interrupt64(struct emulate *e, uint8_t vector, uint64_t next_rip)
{
	unsigned cpl = e->sregs.ss.dpl;
	uint64_t frame[5], rsp;
	struct kvm_segment cs;
	struct gate64 gate;
	int err = gate64_read(e, vector, &gate);

	if (err != 0)
		return err;
	if ((gate.type != (GATE_WIDE | GATE_INTERRUPT) && gate.type != (GATE_WIDE | GATE_TRAP)) ||
		!gate.present || gate.dpl < cpl)
		return -EFAULT;
	err = segment_read(e, gate.selector, &cs);
	if (err == 0)
		err = stack64(e, gate.ist, &rsp);
	if (err != 0)
		return err;
	if (!segment_is_code(&cs) || !cs.present || !cs.l || cs.db || cs.dpl > cpl)
		return -EFAULT;
	if (!segment_is_conforming(&cs) && cs.dpl < cpl)
		return -EOPNOTSUPP; /* to an inner level */
	frame[0] = next_rip;
	frame[1] = e->sregs.cs.selector;
	frame[2] = e->regs.rflags & ~(uint64_t)X86_RF;
	frame[3] = e->regs.rsp;
	frame[4] = e->sregs.ss.selector;
	rsp -= sizeof frame;
	err = e->write(e->ctx, rsp, frame, sizeof frame);
	if (err != 0)
		return err;
	cs.selector = (uint16_t)((cs.selector & ~X86_SELECTOR_RPL) | cpl);
	e->sregs.cs = cs;
	e->regs.rip = gate.offset;
	e->regs.rsp = rsp;
	e->regs.rflags &= ~(uint64_t)(X86_TF | X86_NT | X86_RF |
				      (gate.type == (GATE_WIDE | GATE_INTERRUPT) ? X86_IF : 0));
	return 0;
}

/* KVM's emulator has iretq, and into is gone in this mode. */
static int instruction64(struct emulate *e, const uint8_t *bytes, size_t len)
{
	if (len >= 1 && bytes[0] == 0xcc)
		return software_interrupt64(e, VECTOR_BREAKPOINT, e->regs.rip + 1);
	if (len >= 2 && bytes[0] == 0xcd)
		return software_interrupt64(e, bytes[1], e->regs.rip + 2);
	return -EOPNOTSUPP;
}

/* --- which instruction it is ------------------------------------------------------------------ */

static int instruction(struct emulate *e, const uint8_t *bytes, size_t len)
{
	bool prefix = len > 0 && bytes[0] == 0x66; /* the other operand size */
	const uint8_t *op = bytes + prefix, *end = bytes + len;
	uint32_t eip = (uint32_t)(e->regs.rip + prefix);

	if (op == end)
		return -EOPNOTSUPP;
	switch (*op) {
	case 0xcc:
		return software_interrupt(e, VECTOR_BREAKPOINT, eip + 1);
	case 0xcd:
		if (end - op < 2)
			return -EOPNOTSUPP;
		return software_interrupt(e, op[1], eip + 2);
	case 0xce:
		if (e->regs.rflags & X86_OF)
			return software_interrupt(e, VECTOR_OVERFLOW, eip + 1);
		e->regs.rip = eip + 1;
		return 0;
	case 0xcf:
		if (e->regs.rflags & X86_NT)
			return -EOPNOTSUPP; /* a return to another task */
		return iret(e, e->sregs.cs.db != prefix ? 4 : 2);
	default:
		return -EOPNOTSUPP;
	}
}

int emulate_instruction(struct emulate *e, const uint8_t *bytes, size_t len)
{
	/* Real and virtual-8086 mode have rules of their own, and KVM's emulator knows them. */
	if (!(e->sregs.cr0 & X86_CR0_PE) || e->regs.rflags & X86_VM)
		return -EOPNOTSUPP;
	if (in_long_mode(e))
		return e->sregs.cs.l ? instruction64(e, bytes, len) : -EOPNOTSUPP;
	return instruction(e, bytes, len);
}
