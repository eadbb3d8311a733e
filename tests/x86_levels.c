/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86_levels.h"

#include <string.h>

uint64_t x86_make_gate(uint16_t selector, uint32_t offset, uint8_t type, uint8_t parameters)
{
	return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)parameters << 32 |
	       (uint64_t)type << 40 | (uint64_t)(offset >> 16) << 48;
}

void x86_set_gate(struct x86_machine *m, unsigned vector, uint16_t selector, uint8_t type)
{
	x86_machine_store64(m, IDT + 8 * vector, x86_make_gate(selector, HANDLER, type, 0));
}

static void set_registers(struct x86_machine *m, unsigned cpl)
{
	struct x86_segment code = {CODE_0, 0xc09b, 0xffffffff, 0};
	struct x86_segment data = {DATA_0, 0xc093, 0xffffffff, 0};
	struct x86_cpu *cpu = &m->cpu;

	if (cpl == 3) {
		code.selector = CODE_3 | 3;
		code.rights = 0xc0fb;
		data.selector = DATA_3 | 3;
		data.rights = 0xc0f3;
	}
	cpu->cr0 |= X86_CR0_PE;
	for (unsigned i = 0; i < X86_SEGMENTS; i++)
		x86_set_segment(cpu, i, i == X86_CS ? &code : &data);
	x86_set_cpl(cpu, (uint8_t)cpl);
	cpu->reg[X86_RSP] = STACK_3;
	cpu->eip = RETURN - 2;
	cpu->next_eip = RETURN;
	x86_set_eflags(cpu, X86_IF | X86_TF | X86_NT | X86_CF | X86_AC, UINT32_MAX);
}

void x86_start_at(struct x86_machine *m, unsigned cpl)
{
	static const uint64_t gdt[] = {0, FLAT(0x9a), FLAT(0x92), FLAT(0xfa), FLAT(0xf2),
		FLAT(0x9e), FLAT(0x1a), SMALL(0x9a, 0xfff), FLAT(0x12), SMALL(0x92, 3), 0, 0,
		FLAT(0xba), FLAT(0xb2)};
	struct x86_cpu *cpu = &m->cpu;

	memset(m->ram, 0, 0x10000);
	memcpy(m->ram + GDT, gdt, sizeof gdt);
	x86_machine_store(m, TSS + 4, STACK_0);
	x86_machine_store(m, TSS + 8, DATA_0);
	x86_machine_store(m, TSS + 0xc, STACK_0 - 0x800);
	x86_machine_store(m, TSS + 0x10, DATA_1 | 1);
	cpu->gdtr = (struct x86_table){GDT, LIMIT};
	cpu->idtr = (struct x86_table){IDT, 0x7ff};
	cpu->tr = (struct x86_segment){TSS_SELECTOR, 0x8b, 0x67, TSS};
	cpu->ldtr = (struct x86_segment){0};
	set_registers(m, cpl);
	x86_set_gate(m, VECTOR, CODE_0, 0x8e);
}

uint32_t x86_on_stack(const struct x86_machine *m, unsigned n)
{
	return x86_machine_load(m, m->cpu.segment[X86_SS].base + m->cpu.reg[X86_RSP] + 4 * n);
}
