/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs, CPUID and what is missing in the software CPU. Clauses: SDM 3, unless they say another
 * volume. */
#include <string.h>

#include "../tap.h"
#include "../x86_machine.h"

static const struct x86_operands none = {.operand_size = 4};

static bool was_gp0(const struct x86_machine *m)
{
	return x86_machine_raised(m, X86_GP, 0);
}

static void write_msr(struct x86_machine *m, uint32_t msr, uint64_t value)
{
	m->cpu.reg[X86_RCX] = msr;
	m->cpu.reg[X86_RAX] = (uint32_t)value;
	m->cpu.reg[X86_RDX] = value >> 32;
	attempt(m, x86_op_wrmsr(&m->cpu, &none));
}

static uint64_t read_msr(struct x86_machine *m, uint32_t msr)
{
	m->cpu.reg[X86_RCX] = msr;
	attempt(m, x86_op_rdmsr(&m->cpu, &none));
	return m->cpu.reg[X86_RDX] << 32 | m->cpu.reg[X86_RAX];
}

static void test_msrs(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	x86_cpu_reset(cpu, false);
	x86_machine_protect(m);
	write_msr(m, 0x176, 0xdeadbeef);
	is(read_msr(m, 0x176), 0xdeadbeef, "SDM 4 IA32_SYSENTER_EIP");
	write_msr(m, 0x277, UINT64_C(0x0706050401000706));
	ok(!m->raised && read_msr(m, 0x277) == UINT64_C(0x0706050401000706), "SDM 4 IA32_PAT");
	write_msr(m, 0x277, UINT64_C(0x0706050402000706));
	ok(was_gp0(m), "12.12.2 a memory type that does not exist: #GP(0)");
	write_msr(m, 0xc0000080, 0x800);
	ok(!m->raised && cpu->efer == 0x800, "SDM 4 IA32_EFER.NXE");
	cpu->missing = X86_MISSING_NOTHING;
	write_msr(m, 0xc0000080, 0x100);
	ok(was_gp0(m) && cpu->missing == X86_MISSING_LONG_MODE, "IA32_EFER.LME is refused by name");
	write_msr(m, 0xc0000080, 1);
	ok(was_gp0(m), "SDM 4 IA32_EFER.SCE is not announced");
	read_msr(m, 0x12345678);
	ok(was_gp0(m), "SDM 2 RDMSR of none: #GP(0)");
	write_msr(m, 0x12345678, 0);
	ok(was_gp0(m), "SDM 2 WRMSR of none: #GP(0)");
	is(read_msr(m, 0x1b), 0xfee00900, "SDM 4 IA32_APIC_BASE comes over the bus");
	read_msr(m, 0x6e0);
	ok(was_gp0(m), "SDM 4 and what the bus refuses is #GP(0)");

	m->tsc = UINT64_C(0x100000002);
	attempt(m, x86_op_rdtsc(cpu, &none));
	ok(cpu->reg[X86_RAX] == 2 && cpu->reg[X86_RDX] == 1, "SDM 2 RDTSC");
	write_msr(m, 0xc0000103, 0x1234);
	attempt(m, x86_op_rdtscp(cpu, &none));
	ok(cpu->reg[X86_RAX] == 2 && cpu->reg[X86_RCX] == 0x1234, "SDM 2 RDTSCP: IA32_TSC_AUX");
	write_msr(m, 0xc0000103, UINT64_C(1) << 32);
	ok(was_gp0(m), "SDM 4 IA32_TSC_AUX has 32 bits");
	write_msr(m, 0x10, 1000);
	m->tsc += 5;
	is(read_msr(m, 0x10), 1005, "17.17 the counter goes on from what is written");
	is(read_msr(m, 0x3b), 1000 - UINT64_C(0x100000002), "18.17.3 IA32_TSC_ADJUST follows");
	write_msr(m, 0x3b, 0);
	is(read_msr(m, 0x10), UINT64_C(0x100000007), "18.17.3 and leads");
	x86_set_cpl(cpu, 3);
	attempt(m, x86_op_rdtsc(cpu, &none));
	ok(!m->raised, "SDM 2 RDTSC at CPL 3");
	cpu->cr4 = X86_CR4_TSD;
	attempt(m, x86_op_rdtsc(cpu, &none));
	ok(was_gp0(m), "SDM 2 RDTSC at CPL 3 with CR4.TSD: #GP(0)");
	x86_set_cpl(cpu, 0);
}

static void cpuid(struct x86_machine *m, uint32_t leaf, uint32_t subleaf)
{
	m->cpu.reg[X86_RAX] = leaf;
	m->cpu.reg[X86_RCX] = subleaf;
	x86_op_cpuid(&m->cpu, &none);
}

static void test_cpuid(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	char text[13] = "";

	x86_cpu_reset(cpu, false);
	x86_machine_protect(m);
	cpuid(m, 0, 0);
	memcpy(text, &cpu->reg[X86_RBX], 4);
	memcpy(text + 4, &cpu->reg[X86_RDX], 4);
	memcpy(text + 8, &cpu->reg[X86_RCX], 4);
	ok(strcmp(text, "GenuineIntel") == 0, "CPUID 0: vendor");
	is(cpu->reg[X86_RAX], 0x16, "CPUID 0: last leaf");
	cpuid(m, 1, 0);
	is(cpu->reg[X86_RDX], 0x0003ab78, "CPUID 1: no FPU, no MMX, no SSE, but what an i686 has");
	is(cpu->reg[X86_RCX], 0x81000000, "CPUID 1: TSC deadline, hypervisor");
	cpuid(m, 7, 0);
	ok(cpu->reg[X86_RBX] == 0x100082 && cpu->reg[X86_RCX] == 4,
		"CPUID 7: TSC_ADJUST, SMEP, SMAP, UMIP");
	cpuid(m, 7, 1);
	is(cpu->reg[X86_RBX], 0, "CPUID 7.1: nothing");
	cpuid(m, 0x15, 0);
	is(cpu->reg[X86_RCX] * cpu->reg[X86_RBX] / cpu->reg[X86_RAX], UINT64_C(2500000000),
		"CPUID 0x15: the TSC's frequency");
	cpuid(m, 0x80000001, 0);
	is(cpu->reg[X86_RDX], 0x8100000, "CPUID 0x80000001: XD, RDTSCP and no long mode");
	cpuid(m, 0x80000008, 0);
	is(cpu->reg[X86_RAX], 0x2024, "CPUID 0x80000008: 36 and 32 bits of address");
	cpuid(m, 0x40000010, 0);
	ok(cpu->reg[X86_RAX] == 2500000 && cpu->reg[X86_RBX] == 1000000,
		"CPUID 0x40000010: TSC and APIC timer in kHz");
	cpuid(m, 0x99999999, 0);
	is(cpu->reg[X86_RAX], 2500, "CPUID beyond the last leaf is the last basic one");
}

static void test_missing(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	x86_cpu_reset(cpu, false);
	x86_machine_protect(m);
	attempt(m, x86_op_x87(cpu, &none));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR) && cpu->missing == X86_MISSING_FPU,
		"x87: #UD, and the FPU is noted");
	cpu->cr0 |= X86_CR0_EM;
	attempt(m, x86_op_x87(cpu, &none));
	ok(x86_machine_raised(m, X86_NM, X86_NO_ERROR), "2.5 x87 with EM: #NM");
	cpu->cr0 = (cpu->cr0 & ~(uint64_t)X86_CR0_EM) | X86_CR0_TS;
	attempt(m, x86_op_x87(cpu, &none));
	ok(x86_machine_raised(m, X86_NM, X86_NO_ERROR), "2.5 x87 with TS: #NM");
	attempt(m, x86_op_wait(cpu, &none));
	ok(!m->raised, "2.5 WAIT with TS, without MP");
	cpu->cr0 |= X86_CR0_MP;
	attempt(m, x86_op_wait(cpu, &none));
	ok(x86_machine_raised(m, X86_NM, X86_NO_ERROR), "2.5 WAIT with TS and MP: #NM");
	attempt(m, x86_op_simd(cpu, &none));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR) && cpu->missing == X86_MISSING_SIMD,
		"SSE: #UD, and SIMD is noted");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	test_msrs(m);
	test_cpuid(m);
	test_missing(m);
	x86_machine_free(m);
	return tap_done();
}
