/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/physical.h"

#include "x86/debug.h"

/* x86_charge(): of an access to a device, and for each CPU whose decoded code is looked at. */
#define COST_ACCESS 64
#define COST_CPU    4

static bool access_bus(
	struct x86_cpu *cpu, gpa_t gpa, bool is_write, uint64_t *value, unsigned size)
{
	const struct x86_system *system = cpu->system;

	cpu->bus_accesses++;
	x86_charge(cpu, COST_ACCESS);
	return system->bus->mmio(system->ctx, cpu, gpa, is_write, value, size);
}

uint64_t x86_physical_load(struct x86_cpu *cpu, gpa_t gpa, unsigned size)
{
	const void *host = gmem_ptr(cpu->system->gmem, gpa, size, GMEM_READ);
	uint64_t value = 0;

	if (X86_UNLIKELY(cpu->system->debug != NULL))
		x86_debug_accessed(cpu, gpa, size, X86_READ);
	if (host) {
		value = x86_host_load(host, size);
		if (x86_page_is_watched(cpu->system, gpa))
			x86_watch_tell(cpu, gpa, size, false);
		return value;
	}
	if (!access_bus(cpu, gpa, false, &value, size))
		x86_abandon(cpu);
	return size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

/* False if this access is not permitted there. */
static bool store_to_ram(
	struct x86_cpu *cpu, gpa_t gpa, uint64_t value, unsigned size, enum gmem_access access)
{
	struct x86_system *system = cpu->system;
	void *host = gmem_ptr(system->gmem, gpa, size, access);

	if (!host)
		return false;
	if (x86_page_has_code(system, gpa & X86_PAGE_MASK))
		x86_memory_written(system, gpa, size);
	x86_charge(cpu, COST_CPU * system->cpu_count);
	x86_host_store(host, value, size);
	if (X86_UNLIKELY(system->debug != NULL))
		x86_debug_accessed(cpu, gpa, size, X86_WRITE);
	if (x86_page_is_watched(system, gpa))
		x86_watch_tell(cpu, gpa, size, true);
	return true;
}

void x86_physical_store(struct x86_cpu *cpu, gpa_t gpa, uint64_t value, unsigned size)
{
	if (!store_to_ram(cpu, gpa, value, size, GMEM_WRITE) &&
		!access_bus(cpu, gpa, true, &value, size))
		x86_abandon(cpu);
}

void x86_physical_mark(struct x86_cpu *cpu, gpa_t gpa, uint64_t value, unsigned size)
{
	store_to_ram(cpu, gpa, value, size, GMEM_MARK);
}
