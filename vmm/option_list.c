/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_list.h"

#include <stddef.h>

char *next_word(char **rest)
{
	char *word = *rest, *from = word, *to = word;

	if (!word)
		return NULL;
	for (; *from && (*from != ',' || from[1] == ','); *to++ = *from++)
		from += *from == ',';
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return word;
}
