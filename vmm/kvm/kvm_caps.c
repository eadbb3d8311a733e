/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/kvm_caps.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "log.h"

/* clang-format off */
#define NEEDED(name, use)   {"KVM_CAP_" #name, use, KVM_CAP_##name, true}
#define OPTIONAL(name, use) {"KVM_CAP_" #name, use, KVM_CAP_##name, false}

static const struct kvm_capability capabilities[] = {
	NEEDED(USER_MEMORY, "the guest's RAM is memory of vole's"),
	NEEDED(READONLY_MEM, "read-only segments of a kernel are read-only"),
	NEEDED(SET_TSS_ADDR, "hosts without unrestricted guests need a place for a TSS"),
	NEEDED(SET_IDENTITY_MAP_ADDR, "and a place for an identity map"),
	NEEDED(EXT_CPUID, "the guest sees the features that the host can give"),
	NEEDED(MP_STATE, "secondary CPUs wait until they are started"),
	NEEDED(IMMEDIATE_EXIT, "a CPU can be stopped at any time without a race"),
	NEEDED(SPLIT_IRQCHIP, "local APICs in the kernel, without the rest of a PC"),
	NEEDED(IRQ_ROUTING, "pins of the IOAPIC become messages to a local APIC"),
	NEEDED(IRQFD, "devices interrupt the guest by an eventfd"),
	NEEDED(IOEVENTFD, "the guest notifies devices by an eventfd"),
	OPTIONAL(GET_TSC_KHZ, "the guest is told the frequency of its TSC"),
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
		say("/dev/kvm: not KVM's: KVM_GET_API_VERSION: %s", strerror(-version));
		return version;
	}
	if (version != KVM_API_VERSION) {
		say("/dev/kvm: API version %d, not %d", version, KVM_API_VERSION);
		return -ENOTSUP;
	}
	return 0;
}

int kvm_check(int kvm_fd)
{
	int ret = check_version(kvm_fd);
	size_t count;
	const struct kvm_capability *capability = kvm_capabilities(&count);

	if (ret < 0)
		return ret;
	for (; count > 0; count--, capability++) {
		if (!capability->needed ||
			ioctl(kvm_fd, KVM_CHECK_EXTENSION, (long)capability->number) > 0)
			continue;
		say("/dev/kvm: %s is missing: %s", capability->name, capability->use);
		ret = -ENOTSUP;
	}
	return ret;
}
