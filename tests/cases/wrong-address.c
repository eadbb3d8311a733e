/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel uses a port by the wrong width, a port that does not exist, and the window of a device
 * that the machine lacks. A word on the command line says which.
 *   run: --timeout 20 -- exit-by-byte
 *   status: 126
 *   says: guest crashed: CPU 0 writes 0x0 \(1 byte\) to port 0xf4, which takes writes of 4 bytes only
 *   says: by the instruction at 0x[0-9a-f]{8} \(main\+0x
 *
 *   run: --timeout 20 -- debug-by-word
 *   status: 126
 *   says: guest crashed: CPU 0 writes 0x6968 \(2 bytes\) to port 0xe9, which takes accesses of 1 byte only
 *
 *   run: --timeout 20 -- serial-port
 *   status: 126
 *   says: guest crashed: CPU 0 writes 0x68 \(1 byte\) to port 0x3f8, where nothing answers
 *   says: a serial port is there with --serial stdio
 *
 *   run: --timeout 20 -- interrupt-controller
 *   status: 126
 *   says: guest crashed: CPU 0 writes 0x11 \(1 byte\) to port 0x20, where nothing answers
 *   says: there a PC has an interrupt controller \(8259A\), which this machine lacks: spec/machine.md says what it has
 *
 *   run: --timeout 20 -- absent-device
 *   status: 126
 *   says: CPU 0 loads 4 bytes from 0xd000f000, the window of a device that this machine lacks: the device map lists
 *   says: by the instruction at 0x[0-9a-f]{8} \(main\+0x
 */
#include "case.h"

#define LAST_WINDOW 0xd000f000 /* where the machine with most devices has the last one */

static void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

int main(const struct start_info *info)
{
	switch (*(const char *)info->cmdline) {
	case 'e':
		outb(VOLE_PORT_EXIT, 0);
		break;
	case 'd':
		outw(VOLE_PORT_DEBUG, 'h' | 'i' << 8);
		break;
	case 's':
		outb(0x3f8, 'h');
		break;
	case 'i':
		outb(0x20, 0x11);
		break;
	case 'a':
		return (int)read32(LAST_WINDOW);
	}
	return 1;
}
