/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With --serial: prints "ready" on the serial port, then every byte that it is sent, until a q, by
 * interrupts at pin 17. Exit status 0. Without: its first access is a crash.
 */

#include "check.h"
#include "irq.h"
#include "x86.h"

#define SERIAL     0x3f8
#define IER        (SERIAL + 1)
#define IIR        (SERIAL + 2)
#define FCR        (SERIAL + 2)
#define MCR        (SERIAL + 4)
#define LSR        (SERIAL + 5)
#define SERIAL_PIN 17

static volatile uint8_t last;

static void on_serial(void *ctx)
{
	(void)ctx;
	while (!(in8(IIR) & 1)) {
		while (last != 'q' && in8(LSR) & 1) {
			last = in8(SERIAL);
			out8(SERIAL, last);
		}
		if (last == 'q')
			out8(IER, 0);
	}
}

int main(const struct start_info *info)
{
	uint32_t eflags;

	(void)info;
	out8(FCR, 0x87);
	out8_string(SERIAL, "ready\n", 6);
	if (irq_route(SERIAL_PIN, on_serial, NULL) != 0)
		return 1;
	out8(MCR, 0x0b);
	out8(IER, 0x01);
	eflags = interrupts_off();
	while (last != 'q')
		irq_wait();
	interrupts_restore(eflags);
	return 0;
}
