/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/interrupt_source.h"

#include <stdio.h>

#include "cpu/fault.h"
#include "machine/vm.h"

static bool sends(const struct ioapic_pin *pin, unsigned vector)
{
	if (pin->obstacle != IOAPIC_OPEN)
		return false;
	if (vector == FAULT_NMI)
		return pin->delivery == IOAPIC_NMI;
	return pin->delivery <= IOAPIC_LOWEST_PRIORITY && pin->vector == vector;
}

const char *interrupt_pin_owner(const struct vm *vm, unsigned pin)
{
	if (vm->serial.gsi == (int)pin)
		return "serial port";
	for (unsigned i = 0; i < vm->device_count; i++)
		if (vm->places[i].pin == pin)
			return vm->devices[i].virtio->ops->name;
	return NULL;
}

bool interrupt_source(struct cpu *cpu, unsigned vector, char *text, size_t size)
{
	struct vm *vm = cpu->ctx;
	size_t len = 0;

	if (vm->boot->protocol->board.irqchip != ENGINE_IRQCHIP_APIC)
		return false;
	for (unsigned i = 0; i < IOAPIC_PINS && len < size; i++) {
		const char *device = interrupt_pin_owner(vm, i);
		struct ioapic_pin pin;

		ioapic_inspect(&vm->ioapic, i, &pin);
		if (!sends(&pin, vector))
			continue;
		len += (size_t)snprintf(
			text + len, size - len, "%spin %u", len > 0 ? " or " : "", i);
		if (device && len < size)
			len += (size_t)snprintf(text + len, size - len, " (%s)", device);
	}
	if (len == 0)
		snprintf(text, size, "a local APIC: no pin of the IOAPIC %s",
			vector == FAULT_NMI ? "sends NMIs" : "has this vector");
	return true;
}
