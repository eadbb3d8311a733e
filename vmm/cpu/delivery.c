/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/delivery.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "cpu/fault.h"
#include "cpu/page_walk.h"
#include "cpu/place.h"
#include "cpu/register_bits.h"
#include "layout.h"

#define SELECTOR_INDEX 0xfff8u /* Intel SDM 3, 3.4.2 */

/* The second word of descriptors and gates (Intel SDM 3, 3.4.5, 3.5 and 6.11). */
#define DESCRIPTOR_TYPE(high)    ((high) >> 8 & 0x1f) /* with the S flag */
#define DESCRIPTOR_DPL(high)     ((high) >> 13 & 3)
#define DESCRIPTOR_P             0x8000u
#define DESCRIPTOR_L             0x200000u
#define DESCRIPTOR_G             0x800000u
#define SEGMENT_CODE             0x18u /* a code segment has these bits of the type set */
#define SEGMENT_CONFORMING       0x04u
#define SEGMENT_DATA             0x10u
#define SEGMENT_WRITABLE         0x02u
#define GATE_TASK                0x05u
#define GATE_16_BITS             0x06u /* or 0x07 */
#define GATE_32_BITS             0x0e  /* or 0x0f; of 64 bits, in 64-bit mode */
#define GATE_IST(high_of_offset) ((high_of_offset)&7)

/* A delivery that is tried on paper. */
struct delivery {
	struct cpu *cpu;
	const struct cpu_registers *r;
	unsigned vector;
	struct gate_text gate; /* the vector's */
	bool has_error, is_long;
	unsigned cpl;
	char *text;
	size_t size;
};

struct descriptor {
	uint32_t low, high;
};

/* The reason is found. Returns true. */
static __attribute__((format(printf, 2, 3))) bool found(
	const struct delivery *d, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(d->text, d->size, format, arguments);
	va_end(arguments);
	return true;
}

/* --- descriptors ------------------------------------------------------------------------------ */

/* Reads the descriptor of a selector. Returns true if that fails, with the reason; subject is who
 * names the selector: "gate 6 names". */
static bool read_descriptor(const struct delivery *d, const char *subject, uint16_t selector,
	struct descriptor *descriptor)
{
	bool is_local = selector & X86_SELECTOR_TI;
	const struct cpu_registers *r = d->r;
	uint64_t base = is_local ? r->ldt.base : r->gdt.base;
	uint32_t limit = is_local ? r->ldt.limit : r->gdt.limit;
	uint32_t offset = selector & SELECTOR_INDEX;
	uint32_t words[2];

	*descriptor = (struct descriptor){0};
	if (X86_IS_NULL(selector))
		return found(d, "%s the null selector", subject);
	if (is_local && X86_IS_NULL(r->ldt.selector))
		return found(
			d, "%s selector 0x%x in the LDT, and none is loaded", subject, selector);
	if (offset + 7 > limit)
		return found(d, "%s selector 0x%x, beyond the %s (limit 0x%x)", subject, selector,
			is_local ? "LDT" : "GDT", limit);
	if (cpu_read_linear(d->cpu, base + offset, words, sizeof words) < sizeof words)
		return found(d, "%s selector 0x%x, whose descriptor at %s is not in memory",
			subject, selector, place_of(d->cpu, base + offset).text);
	descriptor->low = words[0];
	descriptor->high = words[1];
	return false;
}

/* --- the stack -------------------------------------------------------------------------------- */

/* Whether a byte of the stack cannot be pushed at a linear address. */
static bool push_fails(const struct delivery *d, uint64_t linear)
{
	struct page_walk walk;
	gpa_t gpa = linear;
	char why[160];
	uint8_t byte;

	if (page_walk(d->cpu->gmem, d->r, linear, PAGE_FAULT_WRITE, &walk)) {
		if (walk.result != PAGE_WALK_PERMITTED) {
			page_walk_explain(&walk, PAGE_FAULT_WRITE, why, sizeof why);
			return found(d, "the frame does not fit on the stack: push to %s, %s",
				place_of(d->cpu, linear).text, why);
		}
		gpa = walk.gpa;
	}
	if (cpu_memory_is_writable(d->cpu, gpa))
		return false;
	return found(d, "the frame does not fit on the stack: push to %s, %s",
		place_of(d->cpu, linear).text,
		gmem_read(d->cpu->gmem, gpa, &byte, 1) == 0 ? "which is read-only"
							    : "where no memory is");
}

/* Checks the push of len bytes below an offset in a stack segment: at both ends, since a frame is
 * shorter than a page. */
static bool check_push(const struct delivery *d, uint64_t base, uint64_t offset, unsigned len)
{
	uint64_t mask = d->is_long ? UINT64_MAX : UINT32_MAX;

	return push_fails(d, (base + offset - 1) & mask) ||
	       push_fails(d, (base + offset - len) & mask);
}

/* Reads a word of the TSS. Returns true if that fails, with the reason. */
static bool read_tss(
	const struct delivery *d, unsigned offset, unsigned len, const char *what, uint64_t *value)
{
	const struct cpu_segment *tr = &d->r->tr;

	*value = 0;
	if (X86_IS_NULL(tr->selector))
		return found(d, "%s is unknown: no TSS is loaded (LTR)", what);
	if (offset + len - 1 > tr->limit)
		return found(
			d, "%s is unknown: it is beyond the TSS (limit 0x%x)", what, tr->limit);
	if (cpu_read_linear(d->cpu, tr->base + offset, value, len) < len)
		return found(d, "%s is unknown: the TSS at %s is not in memory", what,
			place_of(d->cpu, tr->base).text);
	return false;
}

/* The stack of an inner ring, by a 32-bit TSS (Intel SDM 3, 6.12.1 and 8.2.1). */
static bool check_inner_stack_32(const struct delivery *d, unsigned ring, unsigned len)
{
	struct descriptor stack;
	uint64_t esp, ss;
	char what[32];

	snprintf(what, sizeof what, "the stack of ring %u", ring);
	if (read_tss(d, 4 + 8 * ring, 4, what, &esp) || read_tss(d, 8 + 8 * ring, 2, what, &ss) ||
		read_descriptor(d, "the TSS names", (uint16_t)ss, &stack))
		return true;
	if ((DESCRIPTOR_TYPE(stack.high) & (SEGMENT_CODE | SEGMENT_WRITABLE)) !=
			(SEGMENT_DATA | SEGMENT_WRITABLE) ||
		DESCRIPTOR_DPL(stack.high) != ring || X86_RPL(ss) != ring)
		return found(d, "the TSS names selector 0x%x, which is no stack segment of ring %u",
			(unsigned)ss, ring);
	if (!(stack.high & DESCRIPTOR_P))
		return found(d, "the TSS names selector 0x%x, which is not present", (unsigned)ss);
	return check_push(d,
		(stack.low >> 16) | (stack.high & 0xff) << 16 | (stack.high & 0xff000000), esp,
		len);
}

/* A frame of 32 or 16 bits: (SS and ESP,) EFLAGS, CS, EIP, error code. */
static bool check_stack_32(const struct delivery *d, unsigned ring, unsigned word)
{
	unsigned words = 3 + d->has_error + (ring < d->cpl ? 2 : 0);

	if (ring < d->cpl)
		return check_inner_stack_32(d, ring, words * word);
	return check_push(d, d->r->ss.base, d->r->general[CPU_RSP], words * word);
}

/* SS, RSP, RFLAGS, CS, RIP, error code, on a boundary of 16 bytes; by the TSS if there is a stack
 * for the gate (IST) or another ring (Intel SDM 3, 6.14.2 to 6.14.5). */
static bool check_stack_64(const struct delivery *d, unsigned ring, unsigned ist)
{
	uint64_t rsp = d->r->general[CPU_RSP];
	char what[32];

	snprintf(what, sizeof what, ist ? "interrupt stack %u" : "the stack of ring %u",
		ist ? ist : ring);
	if (ist > 0 && read_tss(d, 0x1c + 8 * ist, 8, what, &rsp))
		return true;
	if (ist == 0 && ring < d->cpl && read_tss(d, 4 + 8 * ring, 8, what, &rsp))
		return true;
	return check_push(d, 0, rsp & ~UINT64_C(15), 8 * (5 + d->has_error));
}

/* --- gate and handler ------------------------------------------------------------------------- */

static uint32_t limit_of(const struct descriptor *segment)
{
	uint32_t limit = (segment->low & 0xffff) | (segment->high & 0xf0000);

	return segment->high & DESCRIPTOR_G ? limit << 12 | 0xfff : limit;
}

/* Checks the handler's code segment. *ring is the one in which the handler executes. */
static bool check_code(const struct delivery *d, uint16_t selector, uint64_t offset, unsigned *ring)
{
	struct descriptor code;
	unsigned type, dpl;
	char subject[32];

	snprintf(subject, sizeof subject, "%s names", d->gate.text);
	if (read_descriptor(d, subject, selector, &code))
		return true;
	type = DESCRIPTOR_TYPE(code.high);
	dpl = DESCRIPTOR_DPL(code.high);
	if ((type & SEGMENT_CODE) != SEGMENT_CODE)
		return found(d, "%s selector 0x%x, which is not a code segment", subject, selector);
	if (dpl > d->cpl)
		return found(d, "%s selector 0x%x, a code segment of ring %u for a CPU in ring %u",
			subject, selector, dpl, d->cpl);
	if (!(code.high & DESCRIPTOR_P))
		return found(d, "%s selector 0x%x, which is not present", subject, selector);
	if (d->is_long && !(code.high & DESCRIPTOR_L))
		return found(d, "%s selector 0x%x, which is not a 64-bit code segment", subject,
			selector);
	if (!d->is_long && offset > limit_of(&code))
		return found(d, "%s leads to 0x%08" PRIx64 ", beyond its code segment",
			d->gate.text, offset);
	*ring = type & SEGMENT_CONFORMING ? d->cpl : dpl;
	return false;
}

/* Reads the gate. Returns true if there is none, with the reason. */
static bool read_gate(const struct delivery *d, uint32_t words[4])
{
	const struct cpu_table *idt = &d->r->idt;
	unsigned len = d->is_long ? 16 : 8;
	uint32_t offset = d->vector * len;
	unsigned type;

	if (idt->limit == 0)
		return found(d, "no interrupt table is loaded (LIDT)");
	if (offset + len - 1 > idt->limit)
		return found(d, "%s is beyond the IDT (limit 0x%x)", d->gate.text, idt->limit);
	if (cpu_read_linear(d->cpu, idt->base + offset, words, len) < len)
		return found(d,
			"%s at %s is not in memory: the interrupt table that was loaded "
			"(LIDT) is at 0x%08" PRIx64,
			d->gate.text, place_of(d->cpu, idt->base + offset).text, idt->base);
	type = DESCRIPTOR_TYPE(words[1]);
	if (words[0] == 0 && words[1] == 0)
		return found(d, "%s is empty", d->gate.text);
	if ((type & ~1u) != GATE_32_BITS &&
		(d->is_long || (type != GATE_TASK && (type & ~1u) != GATE_16_BITS)))
		return found(
			d, "%s has type 0x%x, which is no interrupt gate's", d->gate.text, type);
	if (!(words[1] & DESCRIPTOR_P))
		return found(d, "%s is not present", d->gate.text);
	return false;
}

enum delivery_obstacle delivery_explain(struct cpu *cpu, const struct cpu_registers *registers,
	unsigned vector, bool has_error, char *text, size_t size)
{
	const struct delivery d = {
		.cpu = cpu,
		.r = registers,
		.vector = vector,
		.gate = fault_gate(vector),
		.has_error = has_error,
		.is_long = registers->efer & X86_EFER_LMA,
		.cpl = X86_RPL(registers->cs.selector),
		.text = text,
		.size = size,
	};
	uint32_t gate[4] = {0};
	unsigned type, ring = 0;
	uint64_t offset;
	bool is_short;

	if (!(registers->cr0 & X86_CR0_PE))
		return DELIVERY_POSSIBLE;
	if (read_gate(&d, gate))
		return DELIVERY_BY_TABLES;
	type = DESCRIPTOR_TYPE(gate[1]);
	if (type == GATE_TASK)
		return DELIVERY_POSSIBLE;
	offset = (gate[0] & 0xffff) | ((type & ~1u) == GATE_16_BITS ? 0 : gate[1] & 0xffff0000) |
		 (uint64_t)gate[2] << 32;
	if (check_code(&d, (uint16_t)(gate[0] >> 16), offset, &ring))
		return DELIVERY_BY_TABLES;
	if (d.is_long)
		is_short = check_stack_64(&d, ring, GATE_IST(gate[1]));
	else
		is_short = check_stack_32(&d, ring, (type & ~1u) == GATE_16_BITS ? 2 : 4);
	return is_short ? DELIVERY_BY_STACK : DELIVERY_POSSIBLE;
}
