/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/ram_advice.h"

#include <inttypes.h>
#include <stdio.h>

#include "layout.h"

#define MIB (UINT64_C(1) << 20)

const char *ram_advice(char text[RAM_ADVICE_SIZE], uint64_t end)
{
	if (end > RAM_MAX)
		snprintf(text, RAM_ADVICE_SIZE, "a machine has at most 3G");
	else
		snprintf(text, RAM_ADVICE_SIZE, "--memory %" PRIu64 "M is enough",
			end / MIB + (end % MIB != 0));
	return text;
}

const char *link_advice(uint32_t first)
{
	if (first / PAGE_SIZE != 0x8048 && first / PAGE_SIZE != 0x8049)
		return "";
	return ", or link it lower (cc -Wl,-Ttext-segment=0x100000): 0x8048000 is where linkers "
	       "put programs unless told otherwise";
}
