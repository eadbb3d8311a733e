/* SPDX-License-Identifier: BSD-2-Clause */
/* vole with a KVM that has less than others: an ioctl() of our own takes its place. Clauses: KVM
 * API. */
#include "kvm/kvm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"

/* No descriptors, so that nothing can come of closing them. */
#define KVM_FD  1077
#define VM_FD   1078
#define VCPU_FD 1079

#define TSC_DEADLINE (1u << 24) /* of CPUID leaf 1, ECX; as the next */
#define HYPERVISOR   (1u << 31)

/* The faked KVM. */
static struct {
	int lacks;     /* number of a capability, -1: none */
	unsigned made; /* irqchips and PITs */
	struct kvm_cpuid_entry2 leaf1;
} host;

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	if (fd == KVM_FD && request == KVM_CHECK_EXTENSION)
		return (intptr_t)argument != host.lacks;
	if (fd == VM_FD && (request == KVM_CREATE_IRQCHIP || request == KVM_CREATE_PIT2)) {
		host.made++;
		return 0;
	}
	if (fd == VM_FD && request == KVM_ENABLE_CAP)
		return 0;
	if (fd == VM_FD && request == KVM_CREATE_VCPU)
		return VCPU_FD;
	if (fd == VCPU_FD && request == KVM_SET_CPUID2) {
		host.leaf1 = ((struct kvm_cpuid2 *)argument)->entries[0];
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

static struct kvm kvm_make(void)
{
	struct kvm kvm = {.fd = KVM_FD, .vm = VM_FD};

	kvm.cpuid = calloc(1, sizeof *kvm.cpuid + sizeof *kvm.cpuid->entries);
	if (!kvm.cpuid)
		abort();
	kvm.cpuid->nent = 1;
	kvm.cpuid->entries[0].function = 1;
	return kvm;
}

static void test_pc_irqchip(void)
{
	static const struct {
		int number;
		const char *name;
	} cases[] = {{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"}, {KVM_CAP_PIT2, "KVM_CAP_PIT2"}};
	struct kvm kvm = kvm_make();

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text;
		int err;

		host.lacks = cases[i].number;
		capture_begin();
		err = kvm_create_pc_irqchip(&kvm);
		text = capture_end();
		ok(err == -ENOTSUP && strstr(text, cases[i].name) && capture_lines(text) == 1 &&
				host.made == 0,
			"4.24, 4.71 without %s: a PC's irqchip is refused by name", cases[i].name);
	}
	host.lacks = -1;
	is(kvm_create_pc_irqchip(&kvm), 0, "4.24, 4.71 a PC's irqchip is made");
	is(host.made, 2, "with its timer");
	kvm_free(&kvm);
}

/* What CPUID leaf 1 of CPU 3 has in ECX. */
static uint32_t features(int (*create_irqchip)(struct kvm *), int lacks)
{
	struct kvm kvm = kvm_make();

	host.lacks = lacks;
	if ((create_irqchip && create_irqchip(&kvm) < 0) || kvm_create_vcpu(&kvm, 3) != VCPU_FD)
		host.leaf1.ecx = 0;
	kvm_free(&kvm);
	return host.leaf1.ecx;
}

static void test_cpuid(void)
{
	const int deadline = KVM_CAP_TSC_DEADLINE_TIMER;

	is(features(kvm_create_split_irqchip, -1), HYPERVISOR | TSC_DEADLINE,
		"4.46 CPUID has the TSC deadline timer that KVM has");
	is(host.leaf1.ebx, 3u << 24, "and the APIC id");
	is(features(kvm_create_pc_irqchip, -1), HYPERVISOR | TSC_DEADLINE,
		"4.46 so with a PC's irqchip");
	is(features(kvm_create_split_irqchip, deadline), HYPERVISOR,
		"4.46 CPUID has no TSC deadline timer that KVM has not");
	is(features(NULL, -1), HYPERVISOR, "4.46 nor where there is no local APIC");
}

int main(void)
{
	test_pc_irqchip();
	test_cpuid();
	return tap_done();
}
