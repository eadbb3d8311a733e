/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/vcpu_state.h"

#include <string.h>

#include "cpu/register_bits.h"

/* Intel SDM 4, table 2-2. */
#define MSR_TSC           0x10
#define MSR_TSC_DEADLINE  0x6e0
#define APIC_BASE_ENABLED (1u << 11) /* of IA32_APIC_BASE */

/* Registers of a local APIC by their offset (Intel SDM 3, table 11-1). */
enum {
	ID = 0x20,
	TPR = 0x80,
	LDR = 0xd0,
	DFR = 0xe0,
	SVR = 0xf0,
	ISR = 0x100, /* eight of them, 16 bytes apart, as IRR */
	IRR = 0x200,
	LVT = 0x320, /* 16 bytes apart */
	INITIAL_COUNT = 0x380,
	CURRENT_COUNT = 0x390,
	DIVIDE = 0x3e0,
};

#define LVT_MASKED   (1u << 16)
#define LVT_DEADLINE (2u << 17) /* of the timer's mode (11.5.1) */
#define LVT_MODE     (3u << 17)

static enum cpu_activity activity_of(uint32_t mp_state, bool interrupts_on)
{
	switch (mp_state) {
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
		return CPU_NOT_STARTED;
	case KVM_MP_STATE_HALTED:
		return interrupts_on ? CPU_HALTED : CPU_HALTED_FOR_GOOD;
	default:
		return CPU_RUNNING;
	}
}

enum cpu_activity vcpu_activity_now(const struct vcpu *vcpu)
{
	struct kvm_mp_state state;
	struct kvm_regs regs;

	if (kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
		kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0)
		return CPU_UNKNOWN;
	return activity_of(state.mp_state, regs.rflags & X86_IF);
}

static uint32_t apic_register(const struct kvm_lapic_state *apic, unsigned offset)
{
	uint32_t value;

	memcpy(&value, apic->regs + offset, sizeof value);
	return value;
}

/* Nanoseconds until a TSC deadline; 0 where KVM does not tell. */
static uint64_t deadline_left(const struct vcpu *vcpu, uint32_t tsc_khz)
{
	union {
		struct kvm_msrs list;
		uint8_t room[sizeof(struct kvm_msrs) + 2 * sizeof(struct kvm_msr_entry)];
	} msrs = {.list.nmsrs = 2};
	unsigned __int128 left;
	uint64_t deadline, now;

	msrs.list.entries[0].index = MSR_TSC_DEADLINE;
	msrs.list.entries[1].index = MSR_TSC;
	if (kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &msrs) < 0)
		return 0;
	deadline = msrs.list.entries[0].data;
	now = msrs.list.entries[1].data;
	if (deadline == 0)
		return CPU_TIMER_NEVER;
	if (deadline <= now || tsc_khz == 0)
		return 0;
	left = (unsigned __int128)(deadline - now) * 1000000 / tsc_khz;
	return left < INT64_MAX ? (uint64_t)left : CPU_TIMER_NEVER;
}

/* The divider's logarithm (11.5.4, figure 11-10): 0 to 6 are 2 to 128, and 7 is 1. */
static unsigned divide_shift(uint32_t divide)
{
	return ((divide & 3) + (divide >> 1 & 4) + 1) % 8;
}

static uint64_t timer_left(
	const struct vcpu *vcpu, const struct kvm_lapic_state *apic, uint32_t tsc_khz)
{
	uint32_t entry = apic_register(apic, LVT), current = apic_register(apic, CURRENT_COUNT);

	if (entry & LVT_MASKED)
		return CPU_TIMER_NEVER;
	if ((entry & LVT_MODE) == LVT_DEADLINE)
		return deadline_left(vcpu, tsc_khz);
	if (current == 0)
		return CPU_TIMER_NEVER;
	return (uint64_t)current << divide_shift(apic_register(apic, DIVIDE));
}

static int read_lapic(const struct vcpu *vcpu, uint32_t tsc_khz, struct cpu_lapic *lapic)
{
	struct kvm_lapic_state apic;
	struct kvm_sregs sregs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &apic);

	if (ret >= 0)
		ret = kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (ret < 0)
		return ret;
	*lapic = (struct cpu_lapic){
		.present = true,
		.enabled = sregs.apic_base & APIC_BASE_ENABLED,
		.id = apic_register(&apic, ID) >> 24,
		.tpr = apic_register(&apic, TPR),
		.ldr = apic_register(&apic, LDR),
		.dfr = apic_register(&apic, DFR),
		.svr = apic_register(&apic, SVR),
		.timer_initial = apic_register(&apic, INITIAL_COUNT),
		.timer_current = apic_register(&apic, CURRENT_COUNT),
		.timer_left = timer_left(vcpu, &apic, tsc_khz),
	};
	for (unsigned i = 0; i < CPU_LVT_COUNT; i++)
		lapic->lvt[i] = apic_register(&apic, LVT + 16 * i);
	for (unsigned i = 0; i < 8; i++) {
		lapic->isr[i] = apic_register(&apic, ISR + 16 * i);
		lapic->irr[i] = apic_register(&apic, IRR + 16 * i);
	}
	return 0;
}

static uint64_t processor_time(const struct vcpu *vcpu)
{
	struct timespec time;
	clockid_t clock;

	if (!vcpu->has_thread || pthread_getcpuclockid(vcpu->thread, &clock) != 0 ||
		clock_gettime(clock, &time) < 0)
		return 0;
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int vcpu_read_state(
	const struct vcpu *vcpu, bool has_lapic, uint32_t tsc_khz, struct cpu_state *state)
{
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp;
	struct kvm_regs regs;
	int ret;

	*state = (struct cpu_state){.activity = CPU_UNKNOWN};
	ret = kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp);
	if (ret >= 0)
		ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (ret >= 0)
		ret = kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	if (ret < 0)
		return ret;
	state->interrupts_on = regs.rflags & X86_IF;
	state->activity = activity_of(mp.mp_state, state->interrupts_on);
	state->shadow = events.interrupt.shadow;
	state->nmi_pending = events.nmi.pending || events.nmi.injected;
	state->nmi_masked = events.nmi.masked;
	state->host_ns = processor_time(vcpu);
	return has_lapic ? read_lapic(vcpu, tsc_khz, &state->lapic) : 0;
}
