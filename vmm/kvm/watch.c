/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "exit_status.h"
#include "log.h"

/* Items of a string instruction that are shown. */
#define ITEMS_MAX 8

static const char *name_of(uint32_t exit_reason)
{
	switch (exit_reason) {
	case KVM_EXIT_HLT:
		return "hlt";
	case KVM_EXIT_SHUTDOWN:
		return "shutdown";
	case KVM_EXIT_INTERNAL_ERROR:
		return "instruction that KVM lacks";
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return "interrupt window";
	case KVM_EXIT_IOAPIC_EOI:
		return "end of interrupt";
	case KVM_EXIT_SYSTEM_EVENT:
		return "system event";
	case KVM_EXIT_FAIL_ENTRY:
		return "failed entry";
	default:
		return "exit";
	}
}

static bool is_running(void *ctx)
{
	struct vcpu *vcpu = ctx;

	return vcpu->ops->running(vcpu);
}

/* A slow reader of the log has the guest wait, but not the end of the machine. */
__attribute__((format(printf, 2, 3))) static void tell(struct vcpu *vcpu, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsay(is_running, vcpu, format, arguments);
	va_end(arguments);
}

static void say_port(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	const uint8_t *data = (const uint8_t *)run + run->io.data_offset;
	char values[ITEMS_MAX * 12 + 4] = "";
	size_t len = 0;

	/* String instructions come as several items at once. */
	for (uint32_t i = 0; i < run->io.count && i < ITEMS_MAX; i++, data += run->io.size)
		len += (size_t)snprintf(values + len, sizeof values - len, " 0x%0*" PRIx64,
			2 * run->io.size, vcpu_value(data, run->io.size));
	if (run->io.count > ITEMS_MAX)
		snprintf(values + len, sizeof values - len, " ...");
	tell(vcpu, "CPU %u exit %" PRIu64 ": %s port 0x%04x size %u value%s rip 0x%08" PRIx64,
		vcpu->id, vcpu->exits, run->io.direction == KVM_EXIT_IO_OUT ? "out" : "in",
		run->io.port, run->io.size, values, vcpu_rip(vcpu));
}

static void say_mmio(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	tell(vcpu,
		"CPU %u exit %" PRIu64 ": %s address 0x%08llx size %u value 0x%0*" PRIx64
		" rip 0x%08" PRIx64,
		vcpu->id, vcpu->exits, run->mmio.is_write ? "store" : "load", run->mmio.phys_addr,
		run->mmio.len, 2 * (int)run->mmio.len, vcpu_value(run->mmio.data, run->mmio.len),
		vcpu_rip(vcpu));
}

static void say_exit(const struct watch *watch, struct vcpu *vcpu)
{
	uint32_t reason = vcpu->run->exit_reason;

	switch (reason) {
	case KVM_EXIT_IO:
		if (watch->log & WATCH_PIO)
			say_port(vcpu);
		break;
	case KVM_EXIT_MMIO:
		if (watch->log & WATCH_MMIO)
			say_mmio(vcpu);
		break;
	default:
		if (watch->log & WATCH_OTHER)
			tell(vcpu,
				"CPU %u exit %" PRIu64 ": %s (KVM exit reason %u) rip 0x%08" PRIx64,
				vcpu->id, vcpu->exits, name_of(reason), reason, vcpu_rip(vcpu));
		break;
	}
}

/* Will vole give the guest a value? */
static bool is_read(const struct kvm_run *run)
{
	return (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN) ||
	       (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write);
}

void watch_before(struct watch *watch, struct vcpu *vcpu)
{
	if (!is_read(vcpu->run))
		say_exit(watch, vcpu);
}

void watch_after(struct watch *watch, struct vcpu *vcpu)
{
	if (is_read(vcpu->run))
		say_exit(watch, vcpu);
	if (watch->exits_max == 0 || atomic_fetch_add(&watch->exits, 1) + 1 != watch->exits_max ||
		!vcpu->ops->running(vcpu))
		return;
	vcpu->ops->end(vcpu, EXIT_STATUS_TIMEOUT);
	say("stopped after %" PRIu64 " exits", watch->exits_max);
}
