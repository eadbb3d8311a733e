/* SPDX-License-Identifier: BSD-2-Clause */
/* Words that may have been meant. */
#include "suggest.h"

#include <string.h>

#include "../tap.h"

#define LIST "ro, serial=ID, file:PATH or stdio; block-size=N"

/* What is added to the message about word is expected. */
static void check(const char *word, const char *expected)
{
	const char *added = suggestion(word, LIST);

	ok(strcmp(added, expected) == 0, "\"%s\": \"%s\"", word, added);
}

int main(void)
{
	char longest[200];

	check("stido", "; stdio?");
	check("serail=a=b", "; serial=a=b?");
	check("serail", "; serial=ID?");
	check("flie:", "; file:PATH?");
	check("file:", "; file:PATH?");
	check("block-size=big", "; block-size=N?");
	check("blocksize=512", "; block-size=512?");
	check("rw", "");
	check("orr", "");
	check("", "");
	check("=", "");
	check("nothing=alike", "");

	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	check(longest, "");
	memcpy(longest, "serail=", 7);
	check(longest, "; serial=ID?");
	return tap_done();
}
