/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/complete.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "kvm/emulate.h"
#include "layout.h"

#define CR0_PG 0x80000000 /* paging (Intel SDM 3, 2.5) */

#define EXCEPTION_GP 13 /* general protection (Intel SDM 3, 6.15) */

/* --- guest memory by linear addresses --------------------------------------------------------- */

/* Guest-physical address of a linear one. 0 or -EFAULT. */
static int translate(
	struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t linear, uint64_t *gpa)
{
	struct kvm_translation translation = {.linear_address = linear};

	*gpa = linear;
	if (!(sregs->cr0 & CR0_PG))
		return 0;
	if (ioctl(vcpu->fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid)
		return -EFAULT;
	*gpa = translation.physical_address;
	return 0;
}

/* How much of [linear, linear + len) lies in the first page. */
static size_t part_in_page(uint64_t linear, size_t len)
{
	size_t part = PAGE_SIZE - linear % PAGE_SIZE;

	return part < len ? part : len;
}

size_t linear_read(
	struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t linear, void *dst, size_t len)
{
	uint8_t *bytes = dst;
	size_t done = 0;

	while (done < len) {
		size_t part = part_in_page(linear + done, len - done);
		uint64_t gpa;

		if (translate(vcpu, sregs, linear + done, &gpa) < 0 ||
			vcpu->ops->read_memory(vcpu, gpa, bytes + done, part) < 0)
			break;
		done += part;
	}
	return done;
}

/* --- for emulate_instruction() ---------------------------------------------------------------- */

struct linear {
	struct vcpu *vcpu;
	const struct kvm_sregs *sregs;
};

static int read_memory(void *ctx, uint64_t linear, void *dst, size_t len)
{
	const struct linear *memory = ctx;

	return linear_read(memory->vcpu, memory->sregs, linear, dst, len) == len ? 0 : -EFAULT;
}

/* For at most two pages. The first is tried first: a stack that runs into read-only memory grows
 * into it downwards, and then nothing may be written. */
static int write_memory(void *ctx, uint64_t linear, const void *src, size_t len)
{
	const struct linear *memory = ctx;
	struct vcpu *vcpu = memory->vcpu;
	size_t first = part_in_page(linear, len);
	uint64_t gpa, next = 0;

	if (translate(vcpu, memory->sregs, linear, &gpa) < 0 ||
		(first < len && translate(vcpu, memory->sregs, linear + first, &next) < 0))
		return -EFAULT;
	if (vcpu->ops->write_memory(vcpu, gpa, src, first) < 0)
		return -EFAULT;
	if (first == len)
		return 0;
	return vcpu->ops->write_memory(vcpu, next, (const uint8_t *)src + first, len - first);
}

/* --- the instruction -------------------------------------------------------------------------- */

/* The instruction faults: the guest's handler, or a triple fault, takes it from here. Which fault
 * exactly, and its error code, are not told apart. */
static int inject_general_protection(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);

	if (ret < 0)
		return ret;
	events.exception.injected = 1;
	events.exception.nr = EXCEPTION_GP;
	events.exception.has_error_code = 1;
	events.exception.error_code = 0;
	return kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

int complete_instruction(struct vcpu *vcpu)
{
	struct emulate e = {.read = read_memory, .write = write_memory};
	struct linear memory = {.vcpu = vcpu, .sregs = &e.sregs};
	uint8_t bytes[15]; /* no x86 instruction is longer */
	size_t len;
	int ret;

	if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &e.regs) < 0 ||
		kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &e.sregs) < 0)
		return -EIO;
	e.ctx = &memory;
	len = linear_read(vcpu, &e.sregs, e.sregs.cs.base + e.regs.rip, bytes, sizeof bytes);
	ret = emulate_instruction(&e, bytes, len);
	if (ret == -EFAULT)
		return inject_general_protection(vcpu);
	if (ret < 0)
		return ret;
	if (kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &e.sregs) < 0 ||
		kvm_ioctl(vcpu->fd, KVM_SET_REGS, &e.regs) < 0)
		return -EIO;
	vcpu->completed++;
	return 0;
}
