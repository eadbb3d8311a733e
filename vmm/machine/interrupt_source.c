/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/interrupt_source.h"

#include <stdio.h>

#include "machine/vm.h"

#define VECTOR_NMI 2

static bool sends(const struct ioapic_pin *pin, unsigned vector)
{
	if (pin->obstacle != IOAPIC_OPEN)
		return false;
	if (vector == VECTOR_NMI)
		return pin->delivery == IOAPIC_NMI;
	return pin->delivery <= IOAPIC_LOWEST_PRIORITY && pin->vector == vector;
}

/* Returns what is connected to a pin, NULL if nothing is. */
static const char *device_at(const struct vm *vm, unsigned pin)
{
	if (vm->serial.present && vm->serial.gsi == (int)pin)
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
		const char *device = device_at(vm, i);
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
			vector == VECTOR_NMI ? "sends NMIs" : "has this vector");
	return true;
}
