/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_DEBUG_H
#define VMM_KVM_DEBUG_H

/*
 * What a debugger asks of the KVM engine (cpu/debug.h).
 *
 * A breakpoint is the byte 0xee, OUT %AL,(%DX), in the place of the instruction's first one, while
 * the machine executes: it exits on every host. INT3 with KVM_GUESTDBG_USE_SW_BP does not where KVM
 * interprets guest code, nor on AMD's SVM as QEMU emulates it. But where CPL is above IOPL, in a
 * process of the guest's, OUT raises #GP.
 *
 * Hardware breakpoints and watchpoints are debug registers (kvm/debug_registers.h). Not every
 * host's KVM stops there, so that is tried in a throw-away VM (kvm/probe.h) when a debugger is
 * asked for.
 *
 * Steps are KVM_GUESTDBG_SINGLESTEP (KVM API 4.87). KVM does not end a step at an OUT that it
 * interprets, nor at an instruction that vole completes for it, so vole ends those.
 */

#include <stdbool.h>

#include "cpu/debug.h"
#include "cpu/memory.h"
#include "kvm/debug_registers.h"
#include "kvm/vcpu.h"

#define KVM_BREAKPOINTS_MAX 1024

/* The breakpoints of a machine. Changed on the I/O thread while all vCPUs are paused. */
struct kvm_debug {
	uint8_t *host;             /* host memory of guest-physical 0 */
	bool can_block_interrupts; /* KVM_GUESTDBG_BLOCKIRQ */
	bool has_breakpoints;      /* this KVM stops at hardware breakpoints */
	bool has_watchpoints;
	struct debug_registers registers; /* of each vCPU */
	bool is_inserted;                 /* the bytes are in guest memory */
	unsigned count;
	struct {
		gpa_t gpa;
		uint8_t byte; /* of the guest's own; valid if is_inserted */
	} points[KVM_BREAKPOINTS_MAX];
};

/* Finds out what this host's KVM can do. vm: a VM of KVM's. Before the sandbox is closed. */
void kvm_debug_find_out(struct kvm_debug *debug, int vm);

/* Does the work of engine_debug_ops.set_point(). */
int kvm_debug_set_point(struct kvm_debug *debug, const struct debug_point *point, bool set);

/* Puts the breakpoints into guest memory, or the guest's own bytes back. While no vCPU executes. */
void kvm_debug_insert(struct kvm_debug *debug, bool insert);

/* Has KVM execute as vcpu->go says. While the vCPU is paused. Returns 0 or -errno (said). */
int kvm_debug_prepare(struct vcpu *vcpu);

/* The following functions belong to the vCPU's thread, and debug->is_inserted holds. */

/* An exit by OUT: returns whether it is a breakpoint. Then the vCPU is at it, and
 * vcpu->has_stopped is set. */
bool kvm_debug_is_breakpoint(struct vcpu *vcpu);

/* An exit with KVM_EXIT_DEBUG: a step has ended, or a debug register has stopped the vCPU; or else
 * the guest gets a debug exception that is its own, and the vCPU goes on. */
void kvm_debug_exited(struct vcpu *vcpu);

/* An exit was handled: ends a step that KVM itself would not end. */
void kvm_debug_handled(struct vcpu *vcpu);

/* Does the work of engine_debug_ops.set_registers(). While the vCPU is paused. */
int kvm_debug_set_registers(struct vcpu *vcpu, const struct cpu_registers *registers);

#endif
