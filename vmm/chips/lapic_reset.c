/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a local APIC after a reset. Sections are those of Intel SDM 3. */
#include "chips/lapic_parts.h"

#define SVR_RESET 0xffu /* 11.9 */

void lapic_reset_registers(struct lapic *lapic)
{
	*lapic = (struct lapic){
		.bus = lapic->bus,
		.cpu = lapic->cpu,
		.enabled = lapic->enabled,
		.id = lapic->id,
		.lint = {lapic->lint[0], lapic->lint[1]},
		.dfr = UINT32_MAX,
		.svr = SVR_RESET,
		.timer_expiry = UINT64_MAX,
	};
	for (unsigned i = 0; i < LVT_COUNT; i++)
		lapic->lvt[i] = LVT_MASKED;
}

void lapic_reset(struct lapic *lapic)
{
	lapic->enabled = true;
	lapic->id = (uint8_t)lapic->cpu;
	lapic_reset_registers(lapic);
}

void lapic_init(struct lapic *lapic, struct lapic_bus *bus)
{
	*lapic = (struct lapic){.bus = bus, .cpu = bus->count};
	bus->lapics[bus->count++] = lapic;
	lapic_reset(lapic);
}

void lapic_receive_init(struct lapic *lapic)
{
	lapic_reset_registers(lapic);
	lapic->bus->ops->init(lapic->bus->ctx, lapic->cpu);
}
