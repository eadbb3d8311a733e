/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes "late\n" to the serial port and ends at once. Exit status 7. */

#include "check.h"
#include "x86.h"

#define SERIAL_DATA 0x3f8

int main(const struct start_info *info)
{
	(void)info;
	out8_string(SERIAL_DATA, "late\n", 5);
	return 7;
}
