/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID (SDM 2, CPUID): what is there, and nothing else.
 *
 * The vendor is Intel's, for the SDM is what this CPU follows where vendors differ (SYSENTER, error
 * codes, CR4), and guests read leaves 0x15 and 0x16, which tell frequencies, of that vendor alone.
 * Family 6, model 15 (X86_SIGNATURE) is the first that system software trusts with PAT and a
 * constant TSC. That the CPU is vole's say the brand string and the hypervisor leaves.
 */
#include <string.h>

#include "x86/control.h"
#include "x86/operands.h"
#include "x86/walk.h"

struct leaf {
	uint32_t eax, ebx, ecx, edx;
};

#define BASIC_MAX      0x16u
#define HYPERVISOR     0x40000000u
#define HYPERVISOR_MAX 0x40000010u
#define EXTENDED       0x80000000u
#define EXTENDED_MAX   0x80000008u

/* Leaf 1, ECX: TSC deadline, hypervisor. EDX: PSE, TSC, MSR, PAE, CX8, APIC, SEP, PGE, CMOV, PAT,
 * PSE-36. */
#define FEATURES_1_ECX (1u << 24 | 1u << 31)
#define FEATURES_1_EDX                                                                     \
	(1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 13 | \
		1u << 15 | 1u << 16 | 1u << 17)
/* Leaf 7, EBX: TSC_ADJUST, SMEP, SMAP. ECX: UMIP. */
#define FEATURES_7_EBX        (1u << 1 | 1u << 7 | 1u << 20)
#define FEATURES_7_ECX        (1u << 2)
/* Leaf 0x80000001, EDX: execute disable, RDTSCP; leaf 0x80000007, EDX: invariant TSC. */
#define FEATURES_EXTENDED_EDX (1u << 20 | 1u << 27)
#define INVARIANT_TSC         (1u << 8)

#define LINEAR_BITS 32u

/* 12 bytes of text in the order of leaf 0 (EBX, EDX, ECX) or of a hypervisor's (EBX, ECX, EDX). */
static struct leaf vendor_leaf(uint32_t max, const char text[12], bool is_hypervisor)
{
	struct leaf leaf = {.eax = max};

	memcpy(&leaf.ebx, text, 4);
	memcpy(is_hypervisor ? &leaf.ecx : &leaf.edx, text + 4, 4);
	memcpy(is_hypervisor ? &leaf.edx : &leaf.ecx, text + 8, 4);
	return leaf;
}

static struct leaf brand_leaf(unsigned part)
{
	static const char brand[48] = "vole software CPU";
	struct leaf leaf;

	memcpy(&leaf, brand + part * sizeof leaf, sizeof leaf);
	return leaf;
}

static struct leaf basic_leaf(const struct x86_cpu *cpu, uint32_t number, uint32_t subleaf)
{
	const struct x86_system *system = cpu->system;

	switch (number) {
	case 0:
		return vendor_leaf(BASIC_MAX, "GenuineIntel", false);
	case 1:
		return (struct leaf){X86_SIGNATURE, cpu->id << 24, FEATURES_1_ECX, FEATURES_1_EDX};
	case 2:
		return (struct leaf){.eax = 1}; /* no caches or TLBs that one could describe */
	case 7:
		if (subleaf == 0)
			return (struct leaf){0, FEATURES_7_EBX, FEATURES_7_ECX, 0};
		return (struct leaf){0};
	case 0x15: /* the APIC timer's clock is the "core crystal", the TSC a multiple of it */
		return (struct leaf){system->apic_khz, system->tsc_khz, system->apic_khz * 1000, 0};
	case 0x16:
		return (struct leaf){
			system->tsc_khz / 1000, system->tsc_khz / 1000, system->apic_khz / 1000, 0};
	default:
		return (struct leaf){0};
	}
}

static struct leaf hypervisor_leaf(const struct x86_cpu *cpu, uint32_t number)
{
	if (number == HYPERVISOR)
		return vendor_leaf(HYPERVISOR_MAX, "volevolevole", true);
	if (number == HYPERVISOR_MAX)
		return (struct leaf){.eax = cpu->system->tsc_khz, .ebx = cpu->system->apic_khz};
	return (struct leaf){0};
}

static struct leaf extended_leaf(uint32_t number)
{
	switch (number) {
	case EXTENDED:
		return (struct leaf){.eax = EXTENDED_MAX};
	case EXTENDED + 1:
		return (struct leaf){.edx = FEATURES_EXTENDED_EDX};
	case EXTENDED + 2:
	case EXTENDED + 3:
	case EXTENDED + 4:
		return brand_leaf(number - EXTENDED - 2);
	case EXTENDED + 7:
		return (struct leaf){.edx = INVARIANT_TSC};
	case EXTENDED + 8:
		return (struct leaf){.eax = X86_PHYSICAL_BITS | LINEAR_BITS << 8};
	default:
		return (struct leaf){0};
	}
}

static struct leaf find_leaf(const struct x86_cpu *cpu, uint32_t number, uint32_t subleaf)
{
	if (number >= HYPERVISOR && number < HYPERVISOR + 0x10000)
		return hypervisor_leaf(cpu, number);
	if (number >= EXTENDED && number <= EXTENDED_MAX)
		return extended_leaf(number);
	/* Beyond the last leaf of its kind the answer is the last basic leaf's (SDM 2, CPUID). */
	return basic_leaf(cpu, number > BASIC_MAX ? BASIC_MAX : number, subleaf);
}

void x86_op_cpuid(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct leaf leaf = find_leaf(cpu, (uint32_t)cpu->reg[X86_RAX], (uint32_t)cpu->reg[X86_RCX]);

	(void)operands;
	cpu->reg[X86_RAX] = leaf.eax;
	cpu->reg[X86_RBX] = leaf.ebx;
	cpu->reg[X86_RCX] = leaf.ecx;
	cpu->reg[X86_RDX] = leaf.edx;
}
