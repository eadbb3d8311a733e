/* SPDX-License-Identifier: BSD-2-Clause */
#include "power.h"

#include <vole/ports.h>

#include "x86.h"

void power_off(uint32_t code)
{
	out32(VOLE_PORT_EXIT, code);
	halt_forever();
}

uint32_t checkpoint(void)
{
	out32(VOLE_PORT_CHECKPOINT, 0);
	return in32(VOLE_PORT_CHECKPOINT);
}
