/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool bus_mmio(
	void *ctx, struct x86_cpu *cpu, uint64_t gpa, bool is_write, uint64_t *value, unsigned len)
{
	struct x86_machine *machine = ctx;

	(void)cpu;
	machine->bus_calls++;
	machine->bus_gpa = gpa;
	machine->bus_len = len;
	machine->bus_is_write = is_write;
	if (is_write)
		machine->bus_value = *value;
	else
		*value = UINT64_MAX;
	return !machine->bus_refuses;
}

static bool bus_port(
	void *ctx, struct x86_cpu *cpu, uint16_t port, bool is_write, uint32_t *value, unsigned len)
{
	(void)ctx, (void)cpu, (void)port, (void)is_write, (void)value, (void)len;
	return false;
}

static int bus_acknowledge(void *ctx, struct x86_cpu *cpu)
{
	(void)ctx, (void)cpu;
	return -1;
}

static uint64_t bus_tsc(void *ctx, struct x86_cpu *cpu)
{
	(void)cpu;
	return ((struct x86_machine *)ctx)->tsc;
}

/* The APIC's registers: one of them exists. */
static bool bus_read_msr(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t *value)
{
	(void)ctx, (void)cpu;
	*value = 0xfee00900;
	return msr == 0x1b;
}

static bool bus_write_msr(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t value)
{
	(void)ctx, (void)cpu, (void)value;
	return msr == 0x1b;
}

static const struct x86_bus bus = {
	.port = bus_port,
	.mmio = bus_mmio,
	.acknowledge = bus_acknowledge,
	.tsc = bus_tsc,
	.read_msr = bus_read_msr,
	.write_msr = bus_write_msr,
};

static _Noreturn void bail_out(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

struct x86_machine *x86_machine_make(void)
{
	struct x86_machine *machine = calloc(1, sizeof *machine);

	if (!machine)
		bail_out("calloc");
	machine->ram = aligned_alloc(0x1000, X86_RAM_SIZE + 0x1000);
	if (!machine->ram)
		bail_out("aligned_alloc");
	memset(machine->ram, 0, X86_RAM_SIZE + 0x1000);
	machine->regions[0] = (struct gmem_region){0, X86_RAM_SIZE, machine->ram, true};
	machine->regions[1] =
		(struct gmem_region){X86_ROM, 0x1000, machine->ram + X86_RAM_SIZE, false};
	machine->gmem = (struct gmem){.regions = machine->regions, .count = 2};
	machine->system = (struct x86_system){
		.gmem = &machine->gmem,
		.bus = &bus,
		.ctx = machine,
		.tsc_khz = 2500000,
		.apic_khz = 1000000,
		.cpu_count = 1,
		.cpus = &machine->cpu,
	};
	if (x86_cpu_init(&machine->cpu, &machine->system, 0) != 0)
		bail_out("x86_cpu_init");
	return machine;
}

void x86_machine_free(struct x86_machine *machine)
{
	x86_cpu_free(&machine->cpu);
	free(machine->ram);
	free(machine);
}

void x86_machine_protect(struct x86_machine *machine)
{
	struct x86_segment segment = {.limit = 0xffffffff};

	machine->cpu.cr0 |= X86_CR0_PE;
	for (unsigned i = 0; i < X86_SEGMENTS; i++) {
		segment.selector = i == X86_CS ? 0x08 : 0x10;
		segment.rights = i == X86_CS ? 0xc09b : 0xc093;
		x86_set_segment(&machine->cpu, i, &segment);
	}
}

uint32_t x86_machine_load(const struct x86_machine *machine, gpa_t gpa)
{
	uint32_t value;

	memcpy(&value, machine->ram + gpa, sizeof value);
	return value;
}

void x86_machine_store(struct x86_machine *machine, gpa_t gpa, uint32_t value)
{
	memcpy(machine->ram + gpa, &value, sizeof value);
}

void x86_machine_store64(struct x86_machine *machine, gpa_t gpa, uint64_t value)
{
	memcpy(machine->ram + gpa, &value, sizeof value);
}

bool x86_machine_raised(const struct x86_machine *machine, unsigned vector, uint32_t error)
{
	const struct x86_exception *raised = &machine->cpu.raised;
	bool same = machine->raised && raised->vector == vector &&
		    raised->has_error == (error != X86_NO_ERROR) &&
		    (!raised->has_error || raised->error == error);

	if (!same)
		printf("# raised %d: vector %u, error %#x, cr2 %#lx\n", machine->raised,
			raised->vector, raised->error, (unsigned long)raised->cr2);
	return same;
}
