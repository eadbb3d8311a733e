/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/trail.h"

#include <string.h>

void x86_trail_replace(struct x86_cpu *cpu, const struct x86_block *block, uint64_t entry)
{
	for (unsigned i = 0; i < X86_TRAIL_ENTRIES; i++)
		if (cpu->trail[i] == x86_trail_block(block))
			cpu->trail[i] = entry;
}

void x86_trail_forget(struct x86_cpu *cpu, struct x86_block *copy)
{
	const struct x86_block *current = x86_current_block(cpu);
	unsigned at = cpu->trail_at / sizeof *cpu->trail;

	if (current != NULL && current != copy && !(cpu->trail[at] & X86_TRAIL_NOTE))
		memcpy(copy, current, sizeof *current);
	copy->slots = 0;
	for (unsigned i = 0; i < X86_TRAIL_ENTRIES; i++)
		cpu->trail[i] = X86_TRAIL_LOST;
	cpu->trail[at] = x86_trail_block(copy);
}
