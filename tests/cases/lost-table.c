/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel loads a table whose address it has forgotten to fill in, or fills in with that of a
 * device, and then uses it. A word on the command line says which.
 *   run: --timeout 20 -- interrupts
 *   engine: soft
 *   status: 126
 *   says: finds no gate for an exception or interrupt at .*\(main\+0x[0-9a-f]+\): the interrupt table that was loaded \(LIDT\) is at 0x00000000
 *   says not: guest crashed: CPU 0 loads
 *
 * KVM gives up the exception, and hosts differ in how they say so: on AMD's, nothing is left of it.
 *   run: --timeout 20 -- interrupts
 *   engine: kvm
 *   status: 126
 *   says: \(LIDT\) is at 0x00000000|registers: lost
 *
 *   run: --timeout 20 -- segments
 *   status: 126
 *   says: guest crashed: CPU 0 finds no descriptor for a selector at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\): the GDT that was loaded \(LGDT\) is at 0x00000000
 *
 * The console's window: nothing is said of its driver.
 *   run: --timeout 20 -- interrupts device
 *   status: 126
 *   says: \(LIDT\) is at 0xd0000000|registers: lost
 *   says not: device 0, console
 *
 *   run: --timeout 20 -- segments device
 *   status: 126
 *   says: guest crashed: CPU 0 finds no descriptor for a selector at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\): the GDT that was loaded \(LGDT\) is at 0xd0000000
 *   says: CPU 0 loads 8 bytes from 0xd0000010, where no(?: memory is|thing answers)
 *   says not: device 0, console
 */
#include "case.h"

struct __attribute__((packed)) table {
	uint16_t limit;
	uint32_t base;
};

int main(const struct start_info *info)
{
	const char *which = (const char *)info->cmdline;
	struct table idt = {.limit = 256 * 8 - 1}, gdt = {.limit = 3 * 8 - 1};
	const char *word = which;

	while (*word && *word != ' ')
		word++;
	if (*word)
		idt.base = gdt.base =
			((const struct device_map_entry *)info->dev_entries)->base_addr;
	if (which[0] == 'i')
		__asm__ volatile("lidt %0; ud2" : : "m"(idt));
	else
		__asm__ volatile("lgdt %0; mov %1, %%ds" : : "m"(gdt), "r"(0x10));
	return 1;
}
