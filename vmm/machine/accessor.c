/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/accessor.h"

#include "cpu/store.h"

struct place accessor_place(const struct accessor *accessor, bool *is_exact)
{
	struct cpu *cpu = accessor->cpu;
	struct cpu_registers registers;
	struct store store;

	*is_exact = !accessor->is_write || cpu->ops->position_is_exact;
	if (*is_exact || cpu->ops->registers(cpu, &registers) < 0)
		return place_here(cpu);
	store = (struct store){
		.gpa = accessor->gpa,
		.value = cpu_value(accessor->data, accessor->len),
		.len = accessor->len,
	};
	*is_exact = store_find(cpu, &registers, &store);
	return place_of(cpu, registers.cs.base + registers.rip);
}
