/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/complete.h"

#include <errno.h>

#include "kvm/emulate.h"

#define EXCEPTION_GP 13 /* general protection (Intel SDM 3, 6.15) */

/* --- for emulate_instruction() ---------------------------------------------------------------- */

static int read_memory(void *ctx, uint64_t linear, void *dst, size_t len)
{
	return cpu_read_linear(ctx, linear, dst, len) == len ? 0 : -EFAULT;
}

static int write_memory(void *ctx, uint64_t linear, const void *src, size_t len)
{
	return cpu_write_linear(ctx, linear, src, len);
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
	struct emulate e = {.read = read_memory, .write = write_memory, .ctx = &vcpu->cpu};
	uint8_t bytes[15]; /* no x86 instruction is longer */
	size_t len;
	int ret;

	if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &e.regs) < 0 ||
		kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &e.sregs) < 0)
		return -EIO;
	vcpu->sregs = &e.sregs;
	len = cpu_read_linear(&vcpu->cpu, e.sregs.cs.base + e.regs.rip, bytes, sizeof bytes);
	ret = emulate_instruction(&e, bytes, len);
	vcpu->sregs = NULL;
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
