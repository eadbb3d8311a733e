/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has vole make the system call that the command line names, by the hole that only the vole of
 * tests/sandbox.t has. The exit status is its errno, if there is one below 100; else 100.
 */

#include "sandbox-hole.h"
#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	uint32_t error;

	for (const char *name = info_cmdline(info); *name; name++)
		out8(HOLE_PORT, (uint8_t)*name);
	error = in32(HOLE_PORT);
	printf("errno %u\n", error);
	return error < 100 ? (int)error : 100;
}
