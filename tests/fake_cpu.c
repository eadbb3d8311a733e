/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_cpu.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "container.h"

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
	(void)cpu;
	*gpa = linear;
	return 0;
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

void fake_cpu_init(struct fake_cpu *fake)
{
	static const struct cpu_ops ops = {
		.registers = fake_registers,
		.translate = fake_translate,
		.position = fake_position,
		.position_is_exact = true,
	};
	static const struct cpu_host host = {
		.begin_report = on_begin_report,
		.end_report = on_end_report,
		.symbol = on_symbol,
		.end = on_end,
	};

	*fake = (struct fake_cpu){
		.cpu = {.ops = &ops, .host = &host, .gmem = &fake->gmem},
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
