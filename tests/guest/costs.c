/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Costs that are known, for --stats: marks of values 1 and 2, as many pairs as the command line
 * says (10), between which there are 1000 instructions and an access to the debug port. If it says
 * more than 1000, marks with so many other values follow, and accesses to the debug port from as
 * many places as 1000 less, and to as many registers of device 0. Exit status 7.
 */

#include <vole/ports.h>

#include "check.h"
#include "x86.h"

#define PLACES     16384
#define PLACE_SIZE 4
#define REGISTERS  400

static uint8_t code[PLACES * PLACE_SIZE];

__attribute__((noinline)) static void print_dot(void)
{
	out8(VOLE_PORT_DEBUG, '.');
}

static void spend(void)
{
	unsigned count = 499;

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(count));
}

/* Reads the debug port from an instruction that is elsewhere each time: in $port, %al; ret. */
static void read_at(unsigned place)
{
	uint8_t *at = &code[place * PLACE_SIZE];
	void (*call)(void) = (void (*)(void))(uintptr_t)at;

	at[0] = 0xe4;
	at[1] = VOLE_PORT_DEBUG;
	at[2] = 0xc3;
	__asm__ volatile("call *%0" : : "r"(call) : "eax", "memory");
}

static void touch_many(const struct start_info *info, unsigned count)
{
	const struct device_map_entry *devices = info_devices(info);

	for (unsigned i = 0; i < count; i++)
		out32(VOLE_PORT_MARK, 0x100 + i);
	for (unsigned i = 0; i < count - 1000 && i < PLACES; i++)
		read_at(i);
	for (unsigned i = 0; i < REGISTERS; i++)
		(void)*(volatile uint8_t *)(uintptr_t)(devices[0].base_addr + 0x100 + i);
}

int main(const struct start_info *info)
{
	const uint32_t count = cmdline_number(info, 10);

	for (unsigned i = 0; i < count && i < 1000; i++) {
		out32(VOLE_PORT_MARK, 1);
		spend();
		print_dot();
		out32(VOLE_PORT_MARK, 2);
	}
	if (count > 1000)
		touch_many(info, count);
	return 7;
}
