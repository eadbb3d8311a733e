/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/kvm.h"

#include <asm/kvm_para.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error_text.h"
#include "kvm/kvm_caps.h"
#include "layout.h"
#include "log.h"

#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID_1_ECX_HYPERVISOR   (1u << 31)

/*
 * Features of KVM that a guest uses by vmcall. A KVM that interprets guest code does not complete
 * that: it puts the processor's own form of the instruction in its place, looks again, and so on
 * for ever.
 */
#define HYPERCALL_FEATURES                                             \
	(1u << KVM_FEATURE_PV_UNHALT | 1u << KVM_FEATURE_PV_SEND_IPI | \
		1u << KVM_FEATURE_PV_SCHED_YIELD | 1u << KVM_FEATURE_HC_MAP_GPA_RANGE)

/* Entries in the answer of KVM_GET_SUPPORTED_CPUID; hosts have about 40, and
 * KVM gives no more than this. */
#define CPUID_ENTRIES 256

int kvm_ioctl_named(int fd, unsigned long request, void *argument, const char *name)
{
	int ret;

	/* KVM_CREATE_VM, for one, gives up where a debugger or ^Z stops us on the way. */
	do
		ret = ioctl(fd, request, argument);
	while (ret < 0 && errno == EINTR);
	if (ret < 0) {
		ret = -errno;
		say("%s: %s", name, error_text(-ret));
	}
	return ret;
}

static int open_device(struct kvm *kvm)
{
	kvm->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->fd < 0) {
		int ret = -errno;

		say("/dev/kvm: %s%s", error_text(-ret),
			ret == -EMFILE ? ""
				       : " (vole doctor tells more; --engine soft does without)");
		return ret;
	}
	return kvm_check(kvm->fd);
}

static int get_cpuid(struct kvm *kvm)
{
	kvm->cpuid = calloc(1, sizeof *kvm->cpuid + CPUID_ENTRIES * sizeof *kvm->cpuid->entries);
	if (!kvm->cpuid) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	kvm->cpuid->nent = CPUID_ENTRIES;
	return kvm_ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, kvm->cpuid);
}

int kvm_init(struct kvm *kvm)
{
	uint64_t identity_map = KVM_IDENTITY_MAP_BASE;
	int ret = open_device(kvm);

	if (ret < 0)
		return ret;
	ret = kvm_ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ret < 0)
		return ret;
	kvm->run_size = (size_t)ret;
	ret = get_cpuid(kvm);
	if (ret < 0)
		return ret;
	kvm->vm = kvm_ioctl(kvm->fd, KVM_CREATE_VM, 0);
	if (kvm->vm < 0)
		return kvm->vm;
	ret = kvm_ioctl(kvm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	if (ret < 0)
		return ret;
	return kvm_ioctl(kvm->vm, KVM_SET_TSS_ADDR, (uintptr_t)KVM_TSS_BASE);
}

void kvm_free(struct kvm *kvm)
{
	free(kvm->cpuid);
	if (kvm->vm >= 0)
		close(kvm->vm);
	if (kvm->fd >= 0)
		close(kvm->fd);
	*kvm = KVM_EMPTY;
}

void kvm_close_device(struct kvm *kvm)
{
	close(kvm->fd);
	kvm->fd = -1;
}

int kvm_add_memory(struct kvm *kvm, uint64_t gpa, uint64_t size, void *host, bool read_only)
{
	struct kvm_userspace_memory_region region = {
		.slot = kvm->slot_count,
		.flags = read_only ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};
	int ret = kvm_ioctl(kvm->vm, KVM_SET_USER_MEMORY_REGION, &region);

	if (ret == 0)
		kvm->slot_count++;
	return ret;
}

/* Of local APICs that are in the kernel now (KVM API 4.46). */
static void find_tsc_deadline(struct kvm *kvm)
{
	kvm->tsc_deadline = kvm_has(kvm->fd, KVM_CAP_TSC_DEADLINE_TIMER);
}

int kvm_create_split_irqchip(struct kvm *kvm)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {IOAPIC_PINS}};
	int ret = kvm_ioctl(kvm->vm, KVM_ENABLE_CAP, &cap);

	if (ret == 0)
		find_tsc_deadline(kvm);
	return ret;
}

int kvm_create_pc_irqchip(struct kvm *kvm)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	int ret = kvm_check_pc(kvm->fd);

	if (ret == 0)
		ret = kvm_ioctl(kvm->vm, KVM_CREATE_IRQCHIP, 0);
	if (ret == 0)
		ret = kvm_ioctl(kvm->vm, KVM_CREATE_PIT2, &pit);
	if (ret == 0)
		find_tsc_deadline(kvm);
	return ret;
}

int kvm_set_routes(const struct kvm *kvm, const struct ioapic_route routes[IOAPIC_PINS])
{
	_Alignas(struct kvm_irq_routing)
		uint8_t buffer[sizeof(struct kvm_irq_routing) +
			       IOAPIC_PINS * sizeof(struct kvm_irq_routing_entry)] = {0};
	struct kvm_irq_routing *table = (void *)buffer;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		if (!routes[pin].enabled)
			continue;
		table->entries[table->nr++] = (struct kvm_irq_routing_entry){
			.gsi = pin,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = {.address_lo = routes[pin].address, .data = routes[pin].data},
		};
	}
	return kvm_ioctl(kvm->vm, KVM_SET_GSI_ROUTING, table);
}

int kvm_add_irqfd(const struct kvm *kvm, int eventfd, uint32_t gsi)
{
	struct kvm_irqfd irqfd = {.fd = (uint32_t)eventfd, .gsi = gsi};

	return kvm_ioctl(kvm->vm, KVM_IRQFD, &irqfd);
}

void kvm_pulse(const struct kvm *kvm, uint32_t gsi)
{
	struct kvm_irq_level line = {.irq = gsi, .level = 1};

	/* They cannot fail: there are interrupt controllers. */
	(void)ioctl(kvm->vm, KVM_IRQ_LINE, &line);
	line.level = 0;
	(void)ioctl(kvm->vm, KVM_IRQ_LINE, &line);
}

int kvm_set_ioeventfd(
	const struct kvm *kvm, int eventfd, uint64_t address, uint32_t value, bool add)
{
	struct kvm_ioeventfd ioeventfd = {
		.datamatch = value,
		.addr = address,
		.len = sizeof value,
		.fd = eventfd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | (add ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return kvm_ioctl(kvm->vm, KVM_IOEVENTFD, &ioeventfd);
}

uint32_t kvm_tsc_khz(int vcpu)
{
	int khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (uint32_t)khz : 0;
}

/* The host's answers, but with this vCPU's APIC id (Intel SDM 2, CPUID: leaves 1 and 0xb), and with
 * what KVM gives but does not list: that there is a hypervisor, and the TSC deadline timer, if it
 * has that and local APICs (KVM API 4.46). */
static int set_cpuid(const struct kvm *kvm, int fd, unsigned id)
{
	uint32_t unlisted = CPUID_1_ECX_HYPERVISOR;

	if (kvm->tsc_deadline)
		unlisted |= CPUID_1_ECX_TSC_DEADLINE;
	for (uint32_t i = 0; i < kvm->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &kvm->cpuid->entries[i];

		if (entry->function == 1) {
			entry->ebx = (entry->ebx & 0x00ffffff) | id << 24;
			entry->ecx |= unlisted;
		} else if (entry->function == 0xb) {
			entry->edx = id;
		} else if (entry->function == KVM_CPUID_FEATURES) {
			entry->eax &= ~HYPERCALL_FEATURES;
		}
	}
	return kvm_ioctl(fd, KVM_SET_CPUID2, kvm->cpuid);
}

int kvm_create_vcpu(const struct kvm *kvm, unsigned id)
{
	int fd = kvm_ioctl(kvm->vm, KVM_CREATE_VCPU, (uintptr_t)id);
	int ret;

	if (fd < 0)
		return fd;
	ret = set_cpuid(kvm, fd, id);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}
