/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/exits.h"

#include <errno.h>

#include "cpu/access.h"
#include "cpu/crash.h"
#include "cpu/exit_log.h"
#include "exit_status.h"
#include "kvm/complete.h"
#include "kvm/debug.h"
#include "kvm/own_writes.h"
#include "log.h"

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

/* Event information as VMX and SVM have it (Intel SDM 3, 25.8.3; AMD manual 2, 15.20). */
#define EVENT_VECTOR(info) ((unsigned)((info)&0xff))
#define EVENT_KIND(info)   ((unsigned)((info) >> 8 & 7))
#define EVENT_VALID        0x80000000u
#define EVENT_EXCEPTION    3 /* of the processor's */

/* KVM cannot go on with an exit in the middle of a delivery, as when the frame is pushed to where
 * no memory is. Returns false if this is no such exit of an exception. */
static bool report_delivery(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint64_t info = run->internal.ndata > 0 ? run->internal.data[0] : 0;
	struct cpu_fault fault = {.vector = EVENT_VECTOR(info)};
	struct cpu_registers registers;

	if (run->internal.suberror != KVM_INTERNAL_ERROR_DELIVERY_EV || !(info & EVENT_VALID) ||
		EVENT_KIND(info) != EVENT_EXCEPTION ||
		vcpu->cpu.ops->registers(&vcpu->cpu, &registers) < 0)
		return false;
	fault.rip = registers.cs.base + registers.rip;
	fault.cr2 = registers.cr2;
	crash_triple_fault(&vcpu->cpu, &fault, 1);
	return true;
}

static void handle_internal_error(struct vcpu *vcpu)
{
	struct cpu *cpu = &vcpu->cpu;
	int ret;

	if (report_delivery(vcpu))
		return;
	if (vcpu->run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION) {
		cpu->host->end(cpu, EXIT_STATUS_VOLE);
		say("KVM reports internal error %u on CPU %u", vcpu->run->internal.suberror,
			cpu->id);
		return;
	}
	ret = complete_instruction(vcpu);
	if (ret == -EOPNOTSUPP && own_writes_report(vcpu))
		return;
	if (ret == -EOPNOTSUPP)
		crash_instruction(cpu);
	else if (ret < 0) /* the host's fault, and said */
		cpu->host->end(cpu, EXIT_STATUS_VOLE);
}

static void handle_other(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct cpu *cpu = &vcpu->cpu;

	switch (run->exit_reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		handle_internal_error(vcpu);
		break;
	case KVM_EXIT_HLT: /* only without local APICs in the kernel: nothing could wake it */
		cpu->host->end(cpu, 0);
		break;
	case KVM_EXIT_SHUTDOWN:
		if (cpu->host->triple_fault(cpu) < 0)
			crash_triple_fault(cpu, NULL, 0);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_IOAPIC_EOI: /* only level-triggered pins need it, and we have none */
		break;
	case KVM_EXIT_FAIL_ENTRY:
		cpu->host->end(cpu, EXIT_STATUS_VOLE);
		say("the processor refuses to run CPU %u: reason 0x%llx", cpu->id,
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		cpu->host->end(cpu, EXIT_STATUS_VOLE);
		say("KVM gave up CPU %u with exit reason %u, which vole does not know", cpu->id,
			run->exit_reason);
		break;
	}
}

void handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const struct cpu_exit other = {
		.kind = CPU_EXIT_OTHER,
		.name = name_of(run->exit_reason),
		.reason = run->exit_reason,
	};

	switch (run->exit_reason) {
	case KVM_EXIT_DEBUG:
		kvm_debug_exited(vcpu);
		break;
	case KVM_EXIT_IO: /* string instructions come as several items at once */
		if (vcpu->debug && kvm_debug_is_breakpoint(vcpu))
			break;
		cpu_access_port(&vcpu->cpu, run->io.port, run->io.direction == KVM_EXIT_IO_OUT,
			(uint8_t *)run + run->io.data_offset, run->io.size, run->io.count);
		break;
	case KVM_EXIT_MMIO:
		if (run->mmio.is_write && own_writes_handle_store(vcpu, run->mmio.phys_addr,
						  run->mmio.data, run->mmio.len))
			break;
		cpu_access_mmio(&vcpu->cpu, run->mmio.phys_addr, run->mmio.is_write, run->mmio.data,
			run->mmio.len);
		break;
	default:
		exit_begin(&vcpu->cpu, &other);
		handle_other(vcpu);
		exit_end(&vcpu->cpu, &other);
		break;
	}
}
