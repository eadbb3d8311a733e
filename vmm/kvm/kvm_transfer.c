/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/kvm_transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "checksum.h"
#include "snapshot/stream.h"

/* Difference of two frequencies of the time-stamp counter that still counts as none, in parts of a
 * million: hosts measure it anew at each start. */
#define TSC_TOLERANCE 250

/* --- the processor ---------------------------------------------------------------------------- */

/* Leaves of CPUID with features (Intel SDM 2, CPUID; KVM, cpuid.rst). The other words of these
 * leaves tell where the call was made. */
static bool has_features(const struct kvm_cpuid_entry2 *entry)
{
	return entry->function == 1 || entry->function == 7 || entry->function == 0xd ||
	       entry->function == 0x40000001 || entry->function == 0x80000001 ||
	       entry->function == 0x80000008;
}

/* A number that differs between processors whose features do. */
static uint64_t digest_features(const struct kvm_cpuid2 *cpuid)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
		const uint32_t words[] = {
			entry->function, entry->index, entry->eax, entry->ecx, entry->edx};

		if (has_features(entry))
			sum = checksum_add(sum, words, sizeof words);
	}
	return sum;
}

static bool is_close(uint32_t khz, uint32_t other)
{
	uint32_t difference = khz > other ? khz - other : other - khz;

	return (uint64_t)difference * 1000000 <= (uint64_t)khz * TSC_TOLERANCE;
}

static void transfer_processor(
	const struct kvm *kvm, uint32_t tsc_khz, struct snapshot_stream *stream)
{
	uint64_t features = digest_features(kvm->cpuid), saved = features;
	uint32_t saved_khz = tsc_khz;

	SNAPSHOT_FIELD(stream, saved);
	SNAPSHOT_FIELD(stream, saved_khz);
	snapshot_check(stream, saved == features,
		"it was taken on a processor with other features, which its guest may use");
	snapshot_check(stream, is_close(tsc_khz, saved_khz),
		"its time-stamp counter has %" PRIu32 " kHz, and this host's %" PRIu32, saved_khz,
		tsc_khz);
}

/* --- the VM ----------------------------------------------------------------------------------- */

/* Gets or sets a structure by one of two ioctls. */
#define transfer(fd, get, set, value, stream) \
	transfer_named(fd, get, set, #get, #set, &(value), sizeof(value), stream)

static int transfer_named(int fd, unsigned long get, unsigned long set, const char *get_name,
	const char *set_name, void *value, size_t size, struct snapshot_stream *stream)
{
	int ret = 0;

	if (!stream->is_reading)
		ret = kvm_ioctl_named(fd, get, value, get_name);
	snapshot_bytes(stream, value, size);
	if (stream->is_reading && !snapshot_failed(stream))
		ret = kvm_ioctl_named(fd, set, value, set_name);
	return ret < 0 ? ret : 0;
}

/* Two PICs, the IOAPIC, and the timer (KVM API 4.26, 4.72). */
static int transfer_pc(const struct kvm *kvm, struct snapshot_stream *stream)
{
	struct kvm_pit_state2 pit = {.flags = 0};
	int ret = 0;

	for (uint32_t id = KVM_IRQCHIP_PIC_MASTER; ret == 0 && id <= KVM_IRQCHIP_IOAPIC; id++) {
		struct kvm_irqchip chip = {.chip_id = id};

		ret = transfer(kvm->vm, KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, chip, stream);
		snapshot_check(stream, chip.chip_id == id, "interrupt controller %u", chip.chip_id);
	}
	if (ret == 0)
		ret = transfer(kvm->vm, KVM_GET_PIT2, KVM_SET_PIT2, pit, stream);
	return ret;
}

/* kvm-clock goes on where it was (KVM API 4.29). */
static int transfer_clock(const struct kvm *kvm, struct snapshot_stream *stream)
{
	struct kvm_clock_data clock = {.clock = 0};
	int ret = 0;

	if (!stream->is_reading)
		ret = kvm_ioctl(kvm->vm, KVM_GET_CLOCK, &clock);
	SNAPSHOT_FIELD(stream, clock.clock);
	clock.flags = 0; /* the host's own clocks, then, do not matter */
	if (stream->is_reading && !snapshot_failed(stream))
		ret = kvm_ioctl(kvm->vm, KVM_SET_CLOCK, &clock);
	return ret;
}

int kvm_transfer_vm(struct kvm *kvm, enum engine_irqchip irqchip, uint32_t tsc_khz,
	struct snapshot_stream *stream)
{
	uint32_t saved = irqchip;
	int ret;

	snapshot_begin(stream, "KVM ", 0);
	SNAPSHOT_FIELD(stream, saved);
	snapshot_check(stream, saved == irqchip, "other interrupt controllers");
	transfer_processor(kvm, tsc_khz, stream);
	ret = transfer_clock(kvm, stream);
	if (ret == 0 && irqchip == ENGINE_IRQCHIP_PC)
		ret = transfer_pc(kvm, stream);
	snapshot_end(stream);
	return ret;
}

/* --- a vCPU ----------------------------------------------------------------------------------- */

/* MSRs that are saved where the host has them (Intel SDM 4, table 2-2; AMD manual 2, appendix A;
 * KVM, msr.rst). Others are part of other structures. TSC_DEADLINE comes last, since it arms the
 * local APIC's timer. */
static const uint32_t msr_indices[] = {
	0x10,                               /* TSC */
	0x3b,                               /* TSC_ADJUST */
	0x48,                               /* SPEC_CTRL */
	0x174, 0x175, 0x176,                /* SYSENTER */
	0x1a0,                              /* MISC_ENABLE */
	0x277, 0x2ff,                       /* PAT, MTRR_DEF_TYPE */
	0xc0000081, 0xc0000082, 0xc0000083, /* STAR, LSTAR, CSTAR */
	0xc0000084,                         /* SFMASK */
	0xc0000102, 0xc0000103,             /* KERNEL_GS_BASE, TSC_AUX */
	0x4b564d00, 0x4b564d01,             /* kvm-clock */
	0x4b564d02, 0x4b564d03, 0x4b564d04, /* page faults, stolen time, EOI */
	0x6e0,                              /* TSC_DEADLINE */
};

#define MSR_COUNT (sizeof msr_indices / sizeof *msr_indices)

/* All that KVM tells of a vCPU. */
struct image {
	struct kvm_mp_state mp;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_xcrs xcrs;
	struct kvm_lapic_state lapic;
	bool has_xsave, has_msr[MSR_COUNT];
	uint64_t msrs[MSR_COUNT];
	struct kvm_xsave xsave; /* last: clang has it end in an array of any size */
};

/* Room for a list of one MSR. */
union one_msr {
	struct kvm_msrs list;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

/* Returns whether the host has the MSR. */
static bool get_msr(int fd, uint32_t index, uint64_t *value)
{
	union one_msr msr = {.list.nmsrs = 1};

	msr.list.entries[0].index = index;
	if (ioctl(fd, KVM_GET_MSRS, &msr) != 1)
		return false;
	*value = msr.list.entries[0].data;
	return true;
}

/* MP_STATE first: KVM handles what is pending for it. The instruction before was completed. */
static int get(struct vcpu *vcpu, bool has_lapic, struct image *image)
{
	int fd = vcpu->fd;
	int ret = kvm_ioctl(fd, KVM_GET_MP_STATE, &image->mp);

	if (ret >= 0)
		ret = kvm_ioctl(fd, KVM_GET_REGS, &image->regs);
	if (ret >= 0)
		ret = kvm_ioctl(fd, KVM_GET_SREGS, &image->sregs);
	if (ret >= 0)
		ret = kvm_ioctl(fd, KVM_GET_VCPU_EVENTS, &image->events);
	if (ret >= 0)
		ret = kvm_ioctl(fd, KVM_GET_DEBUGREGS, &image->debug);
	if (ret >= 0 && has_lapic)
		ret = kvm_ioctl(fd, KVM_GET_LAPIC, &image->lapic);
	if (ret < 0)
		return ret;
	image->has_xsave = ioctl(fd, KVM_GET_XCRS, &image->xcrs) == 0 &&
			   ioctl(fd, KVM_GET_XSAVE, &image->xsave) == 0;
	for (size_t i = 0; i < MSR_COUNT; i++)
		image->has_msr[i] = get_msr(fd, msr_indices[i], &image->msrs[i]);
	return 0;
}

/* Room for a list of all. */
union all_msrs {
	struct kvm_msrs list;
	uint8_t room[sizeof(struct kvm_msrs) + MSR_COUNT * sizeof(struct kvm_msr_entry)];
};

/* Sets all MSRs by one call, which sets them in the list's order and ends before one whose value
 * the host refuses (KVM API 4.19). */
static int set_msrs(int fd, const struct image *image, struct snapshot_stream *stream)
{
	union all_msrs msrs = {.list.nmsrs = 0};
	struct kvm_msr_entry *entries = msrs.list.entries;
	int ret;

	for (size_t i = 0; i < MSR_COUNT; i++)
		if (image->has_msr[i])
			entries[msrs.list.nmsrs++] = (struct kvm_msr_entry){
				.index = msr_indices[i], .data = image->msrs[i]};
	if (msrs.list.nmsrs == 0)
		return 0;
	ret = kvm_ioctl(fd, KVM_SET_MSRS, &msrs);
	if (ret >= 0 && (uint32_t)ret < msrs.list.nmsrs)
		snapshot_fail(stream, -EBADMSG, "this host refuses the value of MSR 0x%" PRIx32,
			entries[ret].index);
	return ret < 0 ? ret : 0;
}

/* In an order in which nothing undoes what was before: CR4 and EFER permit XCR0, IA32_APIC_BASE
 * enables the local APIC, whose state precedes the timer's deadline. */
static int set(
	struct vcpu *vcpu, bool has_lapic, struct image *image, struct snapshot_stream *stream)
{
	int fd = vcpu->fd;
	int ret = kvm_ioctl(fd, KVM_SET_SREGS, &image->sregs);

	if (ret >= 0 && image->has_xsave)
		ret = kvm_ioctl(fd, KVM_SET_XCRS, &image->xcrs);
	if (ret >= 0 && image->has_xsave)
		ret = kvm_ioctl(fd, KVM_SET_XSAVE, &image->xsave);
	if (ret >= 0)
		ret = kvm_ioctl(fd, KVM_SET_REGS, &image->regs);
	if (ret >= 0)
		ret = kvm_ioctl(fd, KVM_SET_DEBUGREGS, &image->debug);
	if (ret >= 0 && has_lapic)
		ret = kvm_ioctl(fd, KVM_SET_LAPIC, &image->lapic);
	if (ret >= 0)
		ret = set_msrs(fd, image, stream);
	if (ret >= 0)
		ret = kvm_ioctl(fd, KVM_SET_VCPU_EVENTS, &image->events);
	/* Without local APICs in the kernel there is no other state than to run. */
	if (ret >= 0 && has_lapic)
		ret = kvm_ioctl(fd, KVM_SET_MP_STATE, &image->mp);
	return ret < 0 ? ret : 0;
}

static void transfer_image(struct image *image, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, image->mp);
	SNAPSHOT_FIELD(stream, image->regs);
	SNAPSHOT_FIELD(stream, image->sregs);
	SNAPSHOT_FIELD(stream, image->events);
	SNAPSHOT_FIELD(stream, image->debug);
	SNAPSHOT_FIELD(stream, image->lapic);
	snapshot_bool(stream, &image->has_xsave);
	SNAPSHOT_FIELD(stream, image->xcrs);
	SNAPSHOT_FIELD(stream, image->xsave);
	for (size_t i = 0; i < MSR_COUNT; i++) {
		snapshot_bool(stream, &image->has_msr[i]);
		SNAPSHOT_FIELD(stream, image->msrs[i]);
	}
}

int kvm_transfer_vcpu(struct vcpu *vcpu, bool has_lapic, struct snapshot_stream *stream)
{
	struct image image;
	int ret = 0;

	memset(&image, 0, sizeof image);
	if (!stream->is_reading)
		ret = get(vcpu, has_lapic, &image);
	if (ret < 0)
		return ret;
	snapshot_begin(stream, "VCPU", vcpu->cpu.id);
	transfer_image(&image, stream);
	SNAPSHOT_FIELD(stream, vcpu->cpu.exits);
	SNAPSHOT_FIELD(stream, vcpu->cpu.start_outcome);
	SNAPSHOT_FIELD(stream, vcpu->completed);
	snapshot_bool(stream, &vcpu->started);
	snapshot_end(stream);
	if (!stream->is_reading || snapshot_failed(stream))
		return 0;
	return set(vcpu, has_lapic, &image, stream);
}
