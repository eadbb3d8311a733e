/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/kvm_caps.h"

#include <errno.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "error_text.h"
#include "log.h"

/* clang-format off */
#define NEEDED(name, use)   {"KVM_CAP_" #name, use, KVM_CAP_##name, KVM_NEEDED}
#define PC(name, use)       {"KVM_CAP_" #name, use, KVM_CAP_##name, KVM_NEEDED_BY_PC}
#define OPTIONAL(name, use) {"KVM_CAP_" #name, use, KVM_CAP_##name, KVM_OPTIONAL}

static const struct kvm_capability capabilities[] = {
	NEEDED(USER_MEMORY, "the guest's RAM is memory of vole's"),
	NEEDED(READONLY_MEM, "read-only segments of a kernel are read-only"),
	NEEDED(SET_TSS_ADDR, "hosts without unrestricted guests need a place for a TSS"),
	NEEDED(SET_IDENTITY_MAP_ADDR, "and a place for an identity map"),
	NEEDED(EXT_CPUID, "the guest sees the features that the host can give"),
	NEEDED(MP_STATE, "secondary CPUs wait until they are started"),
	NEEDED(VCPU_EVENTS, "an instruction that vole completes for KVM can fault"),
	NEEDED(IMMEDIATE_EXIT, "a CPU can be stopped at any time without a race"),
	NEEDED(SPLIT_IRQCHIP, "local APICs in the kernel, without the rest of a PC"),
	NEEDED(IRQ_ROUTING, "pins of the IOAPIC become messages to a local APIC"),
	NEEDED(IRQFD, "devices interrupt the guest by an eventfd"),
	NEEDED(IOEVENTFD, "the guest notifies devices by an eventfd"),
	PC(IRQCHIP, "Linux and firmware find a PC's interrupt controllers"),
	PC(PIT2, "Linux and firmware find a PC's timer"),
	OPTIONAL(BINARY_STATS_FD, "--stats shows what KVM has counted itself"),
	OPTIONAL(GET_TSC_KHZ, "the guest is told the frequency of its TSC"),
	OPTIONAL(TSC_DEADLINE_TIMER, "a local APIC's timer can go by the TSC"),
};
/* clang-format on */

const struct kvm_capability *kvm_capabilities(size_t *count)
{
	*count = sizeof capabilities / sizeof *capabilities;
	return capabilities;
}

static int check_version(int kvm_fd)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version < 0) {
		version = -errno;
		say("/dev/kvm: not KVM's: KVM_GET_API_VERSION: %s", error_text(-version));
		return version;
	}
	if (version != KVM_API_VERSION) {
		say("/dev/kvm: API version %d, not %d", version, KVM_API_VERSION);
		return -ENOTSUP;
	}
	return 0;
}

bool kvm_has(int kvm_fd, int number)
{
	return ioctl(kvm_fd, KVM_CHECK_EXTENSION, (long)number) > 0;
}

static int check_capabilities(int kvm_fd, enum kvm_need need)
{
	size_t count;
	const struct kvm_capability *capability = kvm_capabilities(&count);
	int ret = 0;

	for (; count > 0; count--, capability++) {
		if (capability->need != need || kvm_has(kvm_fd, capability->number))
			continue;
		say("/dev/kvm: %s is missing: %s", capability->name, capability->use);
		ret = -ENOTSUP;
	}
	return ret;
}

int kvm_check(int kvm_fd)
{
	int ret = check_version(kvm_fd);

	return ret < 0 ? ret : check_capabilities(kvm_fd, KVM_NEEDED);
}

int kvm_check_pc(int kvm_fd)
{
	return check_capabilities(kvm_fd, KVM_NEEDED_BY_PC);
}
