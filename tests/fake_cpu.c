/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_cpu.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "container.h"
#include "cpu/page_walk.h"

static struct fake_cpu *fake_of(struct cpu *cpu)
{
	return container_of(cpu, struct fake_cpu, cpu);
}

static int fake_registers(struct cpu *cpu, struct cpu_registers *registers)
{
	*registers = fake_of(cpu)->registers;
	return fake_of(cpu)->registers_error;
}

static int fake_translate(struct cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	const struct fake_cpu *fake = fake_of(cpu);
	struct page_walk walk;

	*gpa = linear;
	if (!fake->has_paging || !page_walk(cpu->gmem, &fake->registers, linear, 0, &walk))
		return 0;
	*gpa = walk.gpa;
	return walk.result == PAGE_WALK_NO_MEMORY || walk.result == PAGE_WALK_NOT_PRESENT ? -EFAULT
											  : 0;
}

static unsigned fake_branches(struct cpu *cpu, struct cpu_branch branches[CPU_BRANCHES])
{
	const struct fake_cpu *fake = fake_of(cpu);

	memcpy(branches, fake->branches, sizeof fake->branches);
	return fake->branch_count;
}

static const char *on_port_takes(struct cpu *cpu, uint16_t port)
{
	(void)cpu;
	return port % 2 == 0 ? "writes of 4 bytes" : NULL;
}

static uint64_t fake_position(struct cpu *cpu)
{
	const struct fake_cpu *fake = fake_of(cpu);

	return fake->registers.cs.base + fake->registers.rip;
}

static bool on_begin_report(struct cpu *cpu)
{
	fake_of(cpu)->reports++;
	return true;
}

static void on_end_report(struct cpu *cpu)
{
	fake_of(cpu)->reports_ended++;
}

static const char *on_symbol(struct cpu *cpu, uint64_t address, uint32_t *offset)
{
	const struct fake_symbol *symbol = fake_of(cpu)->symbols;
	const char *name = NULL;

	for (; symbol && symbol->name && symbol->address <= address; symbol++) {
		name = symbol->name;
		*offset = (uint32_t)(address - symbol->address);
	}
	return name;
}

static void on_end(struct cpu *cpu, int status)
{
	fake_of(cpu)->status = status;
}

static const struct cpu_ops exact_ops = {
	.registers = fake_registers,
	.translate = fake_translate,
	.position = fake_position,
	.position_is_exact = true,
	.branches = fake_branches,
};

static const struct cpu_ops inexact_ops = {
	.registers = fake_registers,
	.translate = fake_translate,
	.position = fake_position,
};

void fake_cpu_make_inexact(struct fake_cpu *fake)
{
	fake->cpu.ops = &inexact_ops;
}

void fake_cpu_init(struct fake_cpu *fake)
{
	static const struct cpu_host host = {
		.begin_report = on_begin_report,
		.end_report = on_end_report,
		.symbol = on_symbol,
		.port_takes = on_port_takes,
		.end = on_end,
	};

	*fake = (struct fake_cpu){
		.cpu = {.ops = &exact_ops, .host = &host, .gmem = &fake->gmem},
		.registers = {.cr0 = 0x11, .rflags = 2, .cs = {.selector = 8, .limit = UINT32_MAX}},
		.gmem = {.regions = &fake->region, .count = 1},
		.region = {.size = FAKE_RAM_SIZE, .host = fake->ram, .writable = true},
	};
}

void fake_bytes(struct fake_cpu *fake, uint64_t address, const void *bytes, size_t len)
{
	assert(address <= FAKE_RAM_SIZE && len <= FAKE_RAM_SIZE - address);
	memcpy(&fake->ram[address], bytes, len);
}

void fake_word(struct fake_cpu *fake, uint64_t address, uint32_t value)
{
	fake_bytes(fake, address, &value, sizeof value);
}

void fake_word64(struct fake_cpu *fake, uint64_t address, uint64_t value)
{
	fake_bytes(fake, address, &value, sizeof value);
}
