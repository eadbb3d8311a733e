/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EMULATE_H
#define VMM_EMULATE_H

/*
 * Instructions that a KVM without hardware support cannot run and hands back as
 * KVM_EXIT_INTERNAL_ERROR with KVM_INTERNAL_ERROR_EMULATION: protected-mode iret, first of all, and
 * the software interrupts int n, int3 and into; the first two of these in 64-bit mode as well. On a
 * hardware KVM nothing of this ever runs.
 *
 * Such a KVM asks user space only at CPL 0; at CPL 3 it gives the guest an invalid-opcode
 * exception. So an iret may lead to an outer privilege level, but what starts at one is not tried
 * here.
 *
 * Pure code on copies of the registers (Intel SDM 2, IRET and INT; SDM 3, 6.12): memory is reached
 * through two callbacks with linear addresses, so that it is tested without KVM.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

struct emulate {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	void *ctx;
	/* Copies guest memory at a linear address to dst. Returns 0, or -EFAULT if a part of it is
	 * not readable. */
	int (*read)(void *ctx, uint64_t linear, void *dst, size_t len);
	/* Copies src, at most 40 bytes, to guest memory at a linear address. Returns 0, or -EFAULT
	 * if a part of it is not writable RAM; then nothing was written. */
	int (*write)(void *ctx, uint64_t linear, const void *src, size_t len);
};

/*
 * Try to complete the instruction at CS:EIP, of which the first len bytes are given.
 *   0            done: regs and sregs are those after the instruction; both are to be set
 *   -EOPNOTSUPP  not an instruction that is known here; nothing changed
 *   -EFAULT      the instruction would fault (bad stack, selector or gate); nothing changed
 */
int emulate_instruction(struct emulate *e, const uint8_t *bytes, size_t len);

#endif
