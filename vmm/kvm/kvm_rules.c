/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/kvm_rules.h"

#include <linux/kvm.h>

/* The ioctls of KVM that a machine makes after its start. Those that make VMs, vCPUs,
 * devices or memory slots are not among them. */
void kvm_rules_add(struct rules *rules, int vm, int first_vcpu, int last_vcpu)
{
	static const unsigned long vcpu_requests[] = {
		KVM_RUN, /* first, since it is by far the most frequent */
		/* Instructions that KVM does not complete, and reports of crashes. */
		KVM_GET_REGS,
		KVM_SET_REGS,
		KVM_GET_SREGS,
		KVM_SET_SREGS,
		KVM_GET_VCPU_EVENTS,
		KVM_SET_VCPU_EVENTS,
		KVM_TRANSLATE,
		/* gdb's single steps, hardware breakpoints and watchpoints. */
		KVM_SET_GUEST_DEBUG,
		KVM_SET_DEBUGREGS,
		/* The start of further CPUs, and who has halted. */
		KVM_GET_MP_STATE,
		KVM_SET_MP_STATE,
		/* Reports of the machine's state, and checkpoints. */
		KVM_GET_MSRS,
		KVM_GET_LAPIC,
		KVM_GET_DEBUGREGS,
		KVM_GET_XCRS,
		KVM_GET_XSAVE,
	};
	static const unsigned long vm_requests[] = {
		KVM_IRQ_LINE,        /* a device interrupts a PC */
		KVM_SET_GSI_ROUTING, /* the guest programs its IOAPIC */
		KVM_IOEVENTFD,       /* a driver starts or stops */
		KVM_GET_IRQCHIP,     /* reports of the state, and checkpoints, of a PC */
		KVM_GET_PIT2,
		KVM_GET_CLOCK,
	};
	/* Timers that look at a vCPU from time to time (kvm/cpu_timer.h). */
	static const struct rule timers[] = {
		{.number = __NR_timer_create},
		{.number = __NR_timer_settime},
		{.number = __NR_timer_delete},
	};

	for (unsigned i = 0; i < sizeof vcpu_requests / sizeof *vcpu_requests; i++) {
		struct rule rule = rule_ioctl(vcpu_requests[i], first_vcpu, last_vcpu);

		rules_add(rules, &rule, 1);
	}
	for (unsigned i = 0; i < sizeof vm_requests / sizeof *vm_requests; i++) {
		struct rule rule = rule_ioctl(vm_requests[i], vm, vm);

		rules_add(rules, &rule, 1);
	}
	rules_add(rules, timers, sizeof timers / sizeof *timers);
}
