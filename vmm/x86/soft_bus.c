/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a software CPU asks of its surroundings: ports and devices, some of which the engine answers
 * itself, interrupts, time and the MSRs of its local APIC.
 */
#include <string.h>

#include "cpu/access.h"
#include "cpu/crash.h"
#include "x86/soft.h"

#define MSR_APIC_BASE    0x1b /* Intel SDM 4, table 2-2 */
#define MSR_TSC_DEADLINE 0x6e0

static struct soft_cpu *soft_cpu_of(struct soft_engine *engine, const struct x86_cpu *x86)
{
	return &engine->cpus[x86->id];
}

static bool bus_port(
	void *ctx, struct x86_cpu *x86, uint16_t port, bool is_write, uint32_t *value, unsigned len)
{
	struct soft_engine *engine = ctx;
	uint8_t data[4];
	bool goes_on;

	if (engine->irqchip == ENGINE_IRQCHIP_PC &&
		pc_chips_port(&engine->pc, port, is_write, value, len, soft_now(engine)))
		return true;
	memcpy(data, value, sizeof data);
	/* The port may be VOLE_PORT_EXCEPTION, whose report ends the machine. */
	soft_tell_missing(soft_cpu_of(engine, x86));
	goes_on = cpu_access_port(&soft_cpu_of(engine, x86)->cpu, port, is_write, data, len, 1);
	*value = 0;
	memcpy(value, data, len);
	return goes_on;
}

static bool bus_mmio(
	void *ctx, struct x86_cpu *x86, uint64_t gpa, bool is_write, uint64_t *value, unsigned len)
{
	struct soft_engine *engine = ctx;
	struct soft_cpu *cpu = soft_cpu_of(engine, x86);
	uint64_t now = soft_now(engine);
	uint32_t offset = gpa % PAGE_SIZE;
	uint8_t data[8];
	bool goes_on = true;

	memcpy(data, value, sizeof data);
	if (engine->irqchip != ENGINE_IRQCHIP_NONE && cpu->lapic.enabled &&
		gpa - offset == APIC_BASE) {
		if (is_write)
			lapic_mmio_write(&cpu->lapic, offset, data, len, now);
		else
			lapic_mmio_read(&cpu->lapic, offset, data, len, now);
		/* The timer may be due earlier now, or an interrupt may be pending. */
		if (is_write)
			soft_break(engine);
	} else if (engine->irqchip == ENGINE_IRQCHIP_PC && gpa - offset == IOAPIC_BASE) {
		pc_chips_ioapic(&engine->pc, offset, is_write, data, len);
	} else if (x86->saves_task && gmem_ptr(cpu->cpu.gmem, gpa, len, GMEM_READ)) {
		crash_own_write(&cpu->cpu, gpa, CPU_SAVES_TASK);
		goes_on = false;
	} else {
		goes_on = cpu_access_mmio(&cpu->cpu, gpa, is_write, data, len);
	}
	*value = 0;
	memcpy(value, data, len);
	return goes_on;
}

/* --- interrupts ------------------------------------------------------------------------------- */

static bool has_extint(const struct soft_cpu *cpu)
{
	const struct soft_engine *engine = cpu->engine;

	return engine->irqchip == ENGINE_IRQCHIP_PC && lapic_accepts_extint(&cpu->lapic) &&
	       pc_chips_output(&engine->pc);
}

bool soft_has_interrupt(const struct soft_cpu *cpu)
{
	if (!(soft_x86(cpu)->eflags & X86_IF) || cpu->engine->irqchip == ENGINE_IRQCHIP_NONE)
		return false;
	return lapic_pending(&cpu->lapic) || has_extint(cpu);
}

static int bus_acknowledge(void *ctx, struct x86_cpu *x86)
{
	struct soft_engine *engine = ctx;
	struct soft_cpu *cpu = soft_cpu_of(engine, x86);

	if (engine->irqchip == ENGINE_IRQCHIP_NONE)
		return -1;
	if (has_extint(cpu))
		return pc_chips_acknowledge(&engine->pc);
	return lapic_pending(&cpu->lapic) ? lapic_acknowledge(&cpu->lapic) : -1;
}

/* --- time and MSRs ---------------------------------------------------------------------------- */

static uint64_t bus_tsc(void *ctx, struct x86_cpu *x86)
{
	(void)x86;
	return soft_now(ctx);
}

static bool bus_read_msr(void *ctx, struct x86_cpu *x86, uint32_t msr, uint64_t *value)
{
	struct soft_engine *engine = ctx;
	struct soft_cpu *cpu = soft_cpu_of(engine, x86);

	if (engine->irqchip == ENGINE_IRQCHIP_NONE)
		return false;
	switch (msr) {
	case MSR_APIC_BASE:
		*value = lapic_base_read(&cpu->lapic);
		return true;
	case MSR_TSC_DEADLINE:
		*value = lapic_deadline_read(&cpu->lapic, soft_now(engine));
		/* The guest's TSC may differ from guest time. 0 says "disarmed" in both. */
		if (*value != 0)
			*value += x86->tsc_offset;
		return true;
	default:
		return false;
	}
}

static bool bus_write_msr(void *ctx, struct x86_cpu *x86, uint32_t msr, uint64_t value)
{
	struct soft_engine *engine = ctx;
	struct soft_cpu *cpu = soft_cpu_of(engine, x86);

	if (engine->irqchip == ENGINE_IRQCHIP_NONE)
		return false;
	switch (msr) {
	case MSR_APIC_BASE:
		return lapic_base_write(&cpu->lapic, value);
	case MSR_TSC_DEADLINE:
		/* A deadline before the origin of guest time is one that has passed. */
		if (value != 0)
			value = value > x86->tsc_offset ? value - x86->tsc_offset : 1;
		lapic_deadline_write(&cpu->lapic, value, soft_now(engine));
		soft_break(engine);
		return true;
	default:
		return false;
	}
}

const struct x86_bus soft_bus = {
	.port = bus_port,
	.mmio = bus_mmio,
	.acknowledge = bus_acknowledge,
	.tsc = bus_tsc,
	.read_msr = bus_read_msr,
	.write_msr = bus_write_msr,
};
