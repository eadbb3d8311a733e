/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/names.h"

#include <stddef.h>
#include <sys/syscall.h>

/* An array of characters, since pointers would have to be relocated at each start. The build makes
 * the list from <sys/syscall.h>. */
static const char names[][32] = {
#include CALL_NAMES
};

const char *call_name(unsigned long number)
{
	if (number >= sizeof names / sizeof *names || names[number][0] == '\0')
		return NULL;
	return names[number];
}
