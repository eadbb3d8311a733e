/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/own_writes.h"

#include <errno.h>
#include <string.h>

#include "cpu/crash.h"
#include "cpu/fault.h"
#include "cpu/register_bits.h"
#include "kvm/own_paging.h"
#include "kvm/selectors.h"

/* The sixth byte of a descriptor (Intel SDM 3, 3.4.5 and 8.2.2). */
#define RIGHTS_BYTE     5
#define RIGHTS_P        0x80
#define RIGHTS_S        0x10 /* a code or data segment */
#define RIGHTS_ACCESSED 0x01 /* of those */
#define RIGHTS_TYPE     0x0f
#define TYPE_CALL_GATE  0x4 /* with bit 3: 32 or 64 bits */
#define TYPE_TASK_GATE  0x5
#define TYPE_TSS        0x1 /* with bit 3: 32 bits; with bit 1: busy */
#define TYPE_WIDE       0x8
#define TYPE_BUSY       0x2

/* Where a switch from a task with a 32-bit or 16-bit TSS begins to save (Intel SDM 3, 8.2.1 and
 * 8.6). */
#define TSS32_EIP 0x20
#define TSS16_IP  0x0e

/* --- reading the CPU and its tables ----------------------------------------------------------- */

static int read_memory(void *ctx, uint64_t linear, void *dst, size_t len)
{
	return cpu_read_linear(ctx, linear, dst, len) == len ? 0 : -EFAULT;
}

/* Reads the registers. Until forget_cpu(), translations use them. False if KVM does not tell
 * (said), or outside of protected mode, where there are no descriptors. */
static bool read_cpu(struct vcpu *vcpu, struct emulate *e)
{
	*e = (struct emulate){.read = read_memory, .ctx = &vcpu->cpu};
	if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &e->regs) < 0 ||
		kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &e->sregs) < 0)
		return false;
	if (!(e->sregs.cr0 & X86_CR0_PE) || e->regs.rflags & X86_VM)
		return false;
	vcpu->sregs = &e->sregs;
	return true;
}

static void forget_cpu(struct vcpu *vcpu)
{
	vcpu->sregs = NULL;
}

static unsigned next_selectors(const struct emulate *e, uint16_t selectors[SELECTORS_MAX])
{
	uint8_t bytes[15]; /* no x86 instruction is longer */
	size_t len = cpu_read_linear(e->ctx, e->sregs.cs.base + e->regs.rip, bytes, sizeof bytes);

	return selectors_of_instruction(e, bytes, len, selectors);
}

/* Returns the linear address of a selector's descriptor, or 0 if it has none. */
static uint64_t descriptor_at(const struct kvm_sregs *s, uint16_t selector)
{
	uint32_t offset = selector & 0xfff8u;
	bool is_local = selector & X86_SELECTOR_TI;

	if (is_local ? s->ldt.unusable || offset + 7 > s->ldt.limit
		     : offset == 0 || offset + 7 > s->gdt.limit)
		return 0;
	return (is_local ? s->ldt.base : s->gdt.base) + offset;
}

/* Returns the host's memory of a linear address's byte if the guest may only read it, else NULL. */
static uint8_t *read_only_byte(struct cpu *cpu, uint64_t linear)
{
	uint64_t gpa;

	if (cpu->ops->translate(cpu, linear, &gpa) < 0 || gmem_ptr(cpu->gmem, gpa, 1, GMEM_WRITE))
		return NULL;
	return gmem_ptr(cpu->gmem, gpa, 1, GMEM_MARK);
}

/* --- accessed flags of descriptors ------------------------------------------------------------ */

/* Sets the accessed flag in a selector's descriptor, or that of the code segment which its call
 * gate leads to: gates lead to no gates. */
static void mark_descriptor(const struct emulate *e, uint16_t selector)
{
	for (unsigned gates = 0; gates < 2; gates++) {
		uint64_t descriptor = descriptor_at(&e->sregs, selector);
		uint8_t bytes[8], *rights;

		if (!descriptor || read_memory(e->ctx, descriptor, bytes, sizeof bytes) < 0 ||
			!(bytes[RIGHTS_BYTE] & RIGHTS_P))
			return;
		if (bytes[RIGHTS_BYTE] & RIGHTS_S) {
			rights = read_only_byte(e->ctx, descriptor + RIGHTS_BYTE);
			if (rights)
				__atomic_fetch_or(rights, RIGHTS_ACCESSED, __ATOMIC_SEQ_CST);
			return;
		}
		if ((bytes[RIGHTS_BYTE] & RIGHTS_TYPE & ~TYPE_WIDE) != TYPE_CALL_GATE)
			return;
		memcpy(&selector, bytes + 2, sizeof selector);
	}
}

/* Returns the vector of the interrupt or exception that KVM is about to deliver, or -1. */
static int delivered_vector(const struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	if (kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) < 0)
		return -1;
	if (events.exception.injected)
		return events.exception.nr;
	if (events.interrupt.injected)
		return events.interrupt.nr;
	return events.nmi.injected ? FAULT_NMI : -1;
}

/* Returns the linear address of a vector's gate in the IDT (Intel SDM 3, 6.11 and 6.14.1), or 0 if
 * it has none. */
static uint64_t gate_at(const struct kvm_sregs *s, unsigned vector)
{
	uint32_t offset = vector * (s->efer & X86_EFER_LMA ? 16 : 8);

	return offset + 7 <= s->idt.limit ? s->idt.base + offset : 0;
}

/* Marks the code segment that a gate leads to, and the stack that the TSS has for level 0. */
static void mark_gate(const struct emulate *e, uint64_t gate)
{
	const struct kvm_sregs *s = &e->sregs;
	bool has_stack =
		s->tr.type == (TYPE_TSS | TYPE_WIDE | TYPE_BUSY) && !(s->efer & X86_EFER_LMA);
	uint16_t selector;

	if (read_memory(e->ctx, gate + 2, &selector, sizeof selector) == 0)
		mark_descriptor(e, selector);
	if (has_stack && read_memory(e->ctx, s->tr.base + 8, &selector, sizeof selector) == 0)
		mark_descriptor(e, selector);
}

/* Returns whether the frame that a gate has the CPU push goes to read-only memory, and sets *gpa to
 * where it begins. Outside of long mode, and at level 0, which goes on with the current stack. */
static bool pushes_to_read_only(const struct emulate *e, uint64_t gate, uint64_t *gpa)
{
	const struct kvm_segment *ss = &e->sregs.ss;
	uint32_t offset = (uint32_t)(e->regs.rsp - sizeof(uint32_t)) & (ss->db ? ~0u : 0xffffu);
	struct cpu *cpu = e->ctx;
	uint8_t rights;

	if (e->sregs.efer & X86_EFER_LMA || ss->dpl != 0 ||
		read_memory(cpu, gate + RIGHTS_BYTE, &rights, sizeof rights) < 0 ||
		(rights & RIGHTS_TYPE) == TYPE_TASK_GATE)
		return false;
	return read_only_byte(cpu, (uint32_t)(ss->base + offset)) &&
	       cpu->ops->translate(cpu, (uint32_t)(ss->base + offset), gpa) == 0;
}

/* Reports the store of EFLAGS, with which such a frame begins, as any other to read-only memory. */
static void report_push(struct vcpu *vcpu, const struct emulate *e, uint64_t gpa)
{
	uint32_t eflags = (uint32_t)e->regs.rflags;
	uint8_t data[sizeof eflags];

	memcpy(data, &eflags, sizeof data);
	forget_cpu(vcpu);
	crash_mmio(&vcpu->cpu, gpa, true, data, sizeof data, -EROFS);
}

/* Marks what the interrupt or exception that is being delivered uses. Returns true if it cannot be
 * delivered: that is reported. */
static bool complete_delivery(struct vcpu *vcpu, const struct emulate *e)
{
	int vector = delivered_vector(vcpu);
	uint64_t gate = vector < 0 ? 0 : gate_at(&e->sregs, (unsigned)vector);
	uint64_t gpa;

	if (!gate)
		return false;
	mark_gate(e, gate);
	if (!pushes_to_read_only(e, gate, &gpa))
		return false;
	report_push(vcpu, e, gpa);
	return true;
}

/* Reports a descriptor that the next instruction loads and that is not in memory: KVM may try for
 * ever. Returns false if it is there. */
static bool report_descriptor(struct vcpu *vcpu, const struct emulate *e, uint16_t selector)
{
	uint64_t descriptor = descriptor_at(&e->sregs, selector), gpa;
	struct cpu *cpu = &vcpu->cpu;
	uint8_t bytes[8] = {0};

	if (!descriptor || cpu->ops->translate(cpu, descriptor, &gpa) < 0 ||
		gmem_read(cpu->gmem, gpa, bytes, sizeof bytes) == 0)
		return false;
	forget_cpu(vcpu);
	crash_mmio(cpu, gpa, false, bytes, sizeof bytes, -ENXIO);
	return true;
}

void own_writes_complete(struct vcpu *vcpu)
{
	uint16_t selectors[SELECTORS_MAX];
	struct emulate e;
	unsigned count;

	if (!read_cpu(vcpu, &e))
		return;
	count = next_selectors(&e, selectors);
	for (unsigned i = 0; i < count; i++) {
		if (report_descriptor(vcpu, &e, selectors[i]))
			return;
		mark_descriptor(&e, selectors[i]);
	}
	own_paging_complete(vcpu->cpu.gmem, &e.sregs, e.sregs.cs.base + e.regs.rip, UINT64_MAX);
	complete_delivery(vcpu, &e);
	forget_cpu(vcpu);
}

/* --- exits ------------------------------------------------------------------------------------ */

/* Completes the store that LTR makes to its descriptor: TR has it already. KVM writes the whole
 * descriptor, in which the busy flag alone differs. */
static bool complete_busy(const struct emulate *e, uint64_t gpa, const uint8_t *data, unsigned len)
{
	struct cpu *cpu = e->ctx;
	uint64_t descriptor = descriptor_at(&e->sregs, e->sregs.tr.selector), place;
	uint8_t now[8], *rights;

	if (len != sizeof now || !descriptor || cpu->ops->translate(cpu, descriptor, &place) < 0 ||
		place != gpa || read_memory(cpu, descriptor, now, sizeof now) < 0)
		return false;
	now[RIGHTS_BYTE] |= TYPE_BUSY;
	rights = read_only_byte(cpu, descriptor + RIGHTS_BYTE);
	if (!rights || memcmp(now, data, sizeof now) != 0)
		return false;
	*rights = now[RIGHTS_BYTE];
	return true;
}

bool own_writes_handle_store(struct vcpu *vcpu, uint64_t gpa, const uint8_t *data, unsigned len)
{
	bool is_busy, is_paging;
	struct emulate e;

	/* Devices are the usual case. */
	if (!gmem_ptr(vcpu->cpu.gmem, gpa, 1, GMEM_READ) || !read_cpu(vcpu, &e))
		return false;
	is_busy = complete_busy(&e, gpa, data, len);
	is_paging = !is_busy && own_paging_complete(vcpu->cpu.gmem, &e.sregs,
					e.sregs.cs.base + e.regs.rip, gpa);
	forget_cpu(vcpu);
	if (is_paging)
		crash_own_write(&vcpu->cpu, gpa, CPU_WRITES_PAGE_FLAGS);
	return is_busy || is_paging;
}

/* Returns whether a selector leads to another task (Intel SDM 3, 8.3). */
static bool is_task(const struct emulate *e, uint16_t selector)
{
	uint64_t descriptor = descriptor_at(&e->sregs, selector);
	uint8_t rights;
	unsigned type;

	if (!descriptor ||
		read_memory(e->ctx, descriptor + RIGHTS_BYTE, &rights, sizeof rights) < 0)
		return false;
	type = rights & (RIGHTS_S | RIGHTS_TYPE);
	return type == TYPE_TASK_GATE || (type & ~(TYPE_WIDE | TYPE_BUSY)) == TYPE_TSS;
}

/* Reports a task switch by the next instruction if it cannot save the old task. */
static bool report_task_switch(struct vcpu *vcpu, const struct emulate *e)
{
	const struct kvm_segment *tr = &e->sregs.tr;
	uint64_t saved = tr->base + (tr->type & TYPE_WIDE ? TSS32_EIP : TSS16_IP), gpa;
	uint16_t selectors[SELECTORS_MAX];
	struct cpu *cpu = &vcpu->cpu;

	if (!(next_selectors(e, selectors) > 0 && is_task(e, selectors[0])) &&
		!(e->regs.rflags & X86_NT))
		return false;
	if (!read_only_byte(cpu, saved) || cpu->ops->translate(cpu, saved, &gpa) < 0)
		return false;
	forget_cpu(vcpu);
	crash_own_write(cpu, gpa, CPU_SAVES_TASK);
	return true;
}

bool own_writes_report(struct vcpu *vcpu)
{
	struct emulate e;
	bool is_reported;

	if (!read_cpu(vcpu, &e))
		return false;
	is_reported = complete_delivery(vcpu, &e) || report_task_switch(vcpu, &e);
	forget_cpu(vcpu);
	return is_reported;
}
