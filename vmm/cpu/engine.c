/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/engine.h"

#include <stddef.h>

bool engine_answers_port(enum engine_irqchip irqchip, uint16_t port)
{
	/* Two PICs, their trigger modes, the timer and its gate. */
	static const uint16_t ports[] = {
		0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61};

	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		if (irqchip == ENGINE_IRQCHIP_PC && port == ports[i])
			return true;
	return false;
}
