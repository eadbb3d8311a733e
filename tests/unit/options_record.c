/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a command line, which a record keeps: they are copied for a record alone. */
#include "options_record.h"

#include <stdlib.h>
#include <string.h>

#include "../tap.h"

#define WORDS 6

static void test_copied(void)
{
	static const char expected[] = "run\0-m\0"
				       "64M\0--record\0x\0k";
	static const char *const words[WORDS] = {"run", "-m", "64M", "--record", "x", "k"};
	char *copy;
	size_t len;

	is(record_words(WORDS, words, &copy, &len), 0, "a command line that records is copied");
	is(len, sizeof expected, "all of its words are");
	ok(len == sizeof expected && memcmp(copy, expected, len) == 0, "each with a NUL");
	free(copy);
}

static void test_forms(void)
{
	static const char *const lines[][WORDS] = {{"run", "--record=x"}, {"run", "--rec", "x"},
		{"run", "k", "--re=x"}, {"run", "-m", "64M", "k"},
		{"run", "k", "--", "--record", "x"}, {"replay", "x"}};
	static const bool are_copied[] = {true, true, true, false, true, false};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *copy;
		size_t len;
		int count = 0;

		while (count < WORDS && lines[i][count])
			count++;
		record_words(count, lines[i], &copy, &len);
		is(copy != NULL, are_copied[i], "a line that does not record is not copied");
		free(copy);
	}
}

int main(void)
{
	test_copied();
	test_forms();
	return tap_done();
}
