/* SPDX-License-Identifier: BSD-2-Clause */
/* Is saved at once, and ends: what it costs to go on from a checkpoint. */

#include <vole/ports.h>
#include <vole/start_info.h>

#include "x86.h"

int main(const struct start_info *info)
{
	(void)info;
	out32(VOLE_PORT_CHECKPOINT, 0);
	return 0;
}
