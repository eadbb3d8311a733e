/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With --serial: prints the numbers from 1 to 1000 on the serial port, each on a line, as fast as
 * its transmitter takes them. Exit status 0.
 */

#include "check.h"
#include "x86.h"

#define SERIAL 0x3f8
#define LSR    (SERIAL + 5)
#define THRE   0x20 /* the transmitter takes bytes */

static void print_byte(char byte)
{
	while (!(in8(LSR) & THRE))
		cpu_relax();
	out8(SERIAL, (uint8_t)byte);
}

static void print_number(unsigned number)
{
	if (number >= 10)
		print_number(number / 10);
	print_byte((char)('0' + number % 10));
}

int main(const struct start_info *info)
{
	(void)info;
	for (unsigned i = 1; i <= 1000; i++) {
		print_number(i);
		print_byte('\n');
	}
	return 0;
}
