/* SPDX-License-Identifier: BSD-2-Clause */
/* Jumps to where nothing answers. Exit status 126, the report names 0xc8000000. */

#include "check.h"

int main(const struct start_info *info)
{
	(void)info;
	((void (*)(void))0xc8000000)();
	return 0;
}
