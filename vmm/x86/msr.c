/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers (SDM 4, 2.1), RDTSC and RDPMC. */
#include "x86/control.h"
#include "x86/operands.h"

/* Names as in SDM 4, without IA32_. */
enum msr {
	MSR_TIME_STAMP_COUNTER = 0x10,
	MSR_PLATFORM_ID = 0x17,
	MSR_APIC_BASE = 0x1b,
	MSR_TSC_ADJUST = 0x3b,
	MSR_BIOS_SIGN_ID = 0x8b,
	MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175,
	MSR_SYSENTER_EIP = 0x176,
	MSR_MISC_ENABLE = 0x1a0,
	MSR_PAT = 0x277,
	MSR_TSC_DEADLINE = 0x6e0,
	MSR_EFER = 0xc0000080,
	MSR_TSC_AUX = 0xc0000103,
};

static uint64_t time_stamp(struct x86_cpu *cpu)
{
	const struct x86_system *system = cpu->system;

	return system->bus->tsc(system->ctx, cpu) + cpu->tsc_offset;
}

static uint64_t *plain_msr(struct x86_cpu *cpu, uint32_t msr)
{
	switch (msr) {
	case MSR_TSC_ADJUST:
		return &cpu->tsc_offset;
	case MSR_SYSENTER_CS:
		return &cpu->sysenter_cs;
	case MSR_SYSENTER_ESP:
		return &cpu->sysenter_esp;
	case MSR_SYSENTER_EIP:
		return &cpu->sysenter_eip;
	case MSR_MISC_ENABLE:
		return &cpu->misc_enable;
	case MSR_PAT:
		return &cpu->pat;
	case MSR_EFER:
		return &cpu->efer;
	case MSR_TSC_AUX:
		return &cpu->tsc_aux;
	default:
		return NULL;
	}
}

static bool read_msr(struct x86_cpu *cpu, uint32_t msr, uint64_t *value)
{
	const struct x86_system *system = cpu->system;
	const uint64_t *plain = plain_msr(cpu, msr);

	*value = 0;
	if (plain) {
		*value = *plain;
		return true;
	}
	switch (msr) {
	case MSR_TIME_STAMP_COUNTER:
		*value = time_stamp(cpu);
		return true;
	case MSR_PLATFORM_ID:
	case MSR_BIOS_SIGN_ID:
		return true;
	case MSR_APIC_BASE:
	case MSR_TSC_DEADLINE:
		return system->bus->read_msr(system->ctx, cpu, msr, value);
	default:
		return false;
	}
}

/* Memory types are 0, 1, 4 to 7 (SDM 3, table 12-10). */
static bool is_pat_valid(uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned type = value >> 8 * i & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

/* With SYSCALL and long mode not announced, NXE is all that there is. */
static bool write_efer(struct x86_cpu *cpu, uint64_t value)
{
	if (value & X86_EFER_LME)
		x86_note_missing(cpu, X86_MISSING_LONG_MODE);
	if (value & ~(uint64_t)X86_EFER_NXE)
		return false;
	cpu->efer = value;
	x86_tlb_flush(cpu, false);
	x86_mode_changed(cpu);
	return true;
}

/* A register that holds 32 bits, since nothing here has more. */
static bool write_32(uint64_t *field, uint64_t value)
{
	*field = (uint32_t)value;
	return true;
}

static bool write_msr(struct x86_cpu *cpu, uint32_t msr, uint64_t value)
{
	const struct x86_system *system = cpu->system;

	switch (msr) {
	case MSR_TIME_STAMP_COUNTER:
		cpu->tsc_offset += value - time_stamp(cpu);
		return true;
	case MSR_TSC_ADJUST:
		cpu->tsc_offset = value;
		return true;
	case MSR_BIOS_SIGN_ID:
		return true;
	case MSR_SYSENTER_CS:
		return write_32(&cpu->sysenter_cs, value);
	case MSR_SYSENTER_ESP:
		return write_32(&cpu->sysenter_esp, value);
	case MSR_SYSENTER_EIP:
		return write_32(&cpu->sysenter_eip, value);
	case MSR_MISC_ENABLE:
		cpu->misc_enable = X86_MISC_ENABLE_FIXED | (value & X86_MISC_ENABLE_FAST_STRINGS);
		return true;
	case MSR_PAT:
		if (!is_pat_valid(value))
			return false;
		cpu->pat = value;
		return true;
	case MSR_EFER:
		return write_efer(cpu, value);
	case MSR_TSC_AUX:
		return value >> 32 == 0 && write_32(&cpu->tsc_aux, value);
	case MSR_APIC_BASE:
	case MSR_TSC_DEADLINE:
		return system->bus->write_msr(system->ctx, cpu, msr, value);
	default:
		return false;
	}
}

static void write_edx_eax(struct x86_cpu *cpu, uint64_t value)
{
	cpu->reg[X86_RAX] = (uint32_t)value;
	cpu->reg[X86_RDX] = value >> 32;
}

void x86_op_rdmsr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint64_t value;

	(void)operands;
	x86_need_cpl0(cpu);
	if (!read_msr(cpu, (uint32_t)cpu->reg[X86_RCX], &value))
		x86_raise_code(cpu, X86_GP, 0);
	write_edx_eax(cpu, value);
}

void x86_op_wrmsr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint64_t value = cpu->reg[X86_RDX] << 32 | (uint32_t)cpu->reg[X86_RAX];

	(void)operands;
	x86_need_cpl0(cpu);
	if (!write_msr(cpu, (uint32_t)cpu->reg[X86_RCX], value))
		x86_raise_code(cpu, X86_GP, 0);
}

void x86_op_rdtsc(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	if (cpu->cpl != 0 && cpu->cr4 & X86_CR4_TSD)
		x86_raise_code(cpu, X86_GP, 0);
	write_edx_eax(cpu, time_stamp(cpu));
}

void x86_op_rdtscp(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_op_rdtsc(cpu, operands);
	cpu->reg[X86_RCX] = cpu->tsc_aux;
}

/* There are no counters to read. */
void x86_op_rdpmc(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_raise_code(cpu, X86_GP, 0);
}
