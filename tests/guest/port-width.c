/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes 8 bits to the exit port, which has 32. Exit status 126, the report names 0xf4. */

#include <vole/ports.h>

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	(void)info;
	out8(VOLE_PORT_EXIT, 0);
	return 0;
}
