/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_H
#define VMM_KVM_H

/*
 * A VM of KVM: thin wrappers around the ioctls of /dev/kvm (Linux, Documentation/virt/kvm/api.rst;
 * "KVM API n.m" cites its sections). Each function reports on standard error which call failed, and
 * returns 0 or a negative errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "chips/ioapic.h"

struct kvm {
	int fd;            /* /dev/kvm; -1: empty, or closed by kvm_close_device() */
	int vm;            /* -1: not yet */
	bool tsc_deadline; /* local APICs in the kernel, whose timer can go by the TSC */
	unsigned slot_count;
	size_t run_size;          /* of struct kvm_run and what follows it */
	struct kvm_cpuid2 *cpuid; /* what the host can do, for kvm_create_vcpu() */
};

#define KVM_EMPTY ((struct kvm){.fd = -1, .vm = -1})

/* Calls ioctl(2), and reports its name if it fails. Returns its result, or -errno. */
#define kvm_ioctl(fd, request, argument) kvm_ioctl_named(fd, request, (void *)(argument), #request)
int kvm_ioctl_named(int fd, unsigned long request, void *argument, const char *name);

/* Opens /dev/kvm, checks that it has what vole needs, and creates a VM. The caller calls kvm_free()
 * whatever is returned. */
int kvm_init(struct kvm *kvm);
void kvm_free(struct kvm *kvm);

/* Closes /dev/kvm, which a VM that has its irqchip and its vCPUs does not need any more. */
void kvm_close_device(struct kvm *kvm);

/* Adds a memory slot. Called before an irqchip is created: in the other order the slot waits for an
 * RCU grace period. */
int kvm_add_memory(struct kvm *kvm, uint64_t gpa, uint64_t size, void *host, bool read_only);

/* Creates local APICs in the kernel, with the IOAPIC outside: KVM_CAP_SPLIT_IRQCHIP (KVM API
 * 7.5). */
int kvm_create_split_irqchip(struct kvm *kvm);

/* Creates all of a PC's interrupt controllers, and its timer, in the kernel: two PICs, an IOAPIC,
 * local APICs, and a PIT (KVM API 4.24, 4.71). GSI n is pin n of the IOAPIC, and of the PICs below
 * 16. Returns -ENOTSUP if this host's KVM has none. */
int kvm_create_pc_irqchip(struct kvm *kvm);

/* Replaces all routes: GSI n goes where pin n of the IOAPIC says (KVM API 4.52). */
int kvm_set_routes(const struct kvm *kvm, const struct ioapic_route routes[IOAPIC_PINS]);

/* Raises an edge of a GSI of KVM's own interrupt controllers (KVM API 4.25). Any thread, one at a
 * time for each GSI: an edge that begins before another has ended is none. */
void kvm_pulse(const struct kvm *kvm, uint32_t gsi);

/* Has a write to the eventfd raise this GSI (KVM API 4.75). */
int kvm_add_irqfd(const struct kvm *kvm, int eventfd, uint32_t gsi);

/* Has a 32-bit guest store of value to address signal the eventfd instead of causing an exit, or
 * removes that again if add is false (KVM API 4.59). */
int kvm_set_ioeventfd(
	const struct kvm *kvm, int eventfd, uint64_t address, uint32_t value, bool add);

/* Returns the frequency of a vCPU's TSC in kHz, or 0 if the host does not know it, which is not
 * reported (KVM API 4.56). */
uint32_t kvm_tsc_khz(int vcpu);

/* Creates a vCPU whose CPUID is the host's, with its own APIC id. Called after the irqchip was
 * created, if there is one. Returns its descriptor, which the caller closes, or -errno. */
int kvm_create_vcpu(const struct kvm *kvm, unsigned id);

#endif
