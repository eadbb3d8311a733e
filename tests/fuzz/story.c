/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of vole story, of a capture whose bytes are the input's. Whatever they are, the data
 * of the page end, have all their brackets closed, and hold nothing that would end a <script>.
 * Their number chooses options.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "story/choice.h"
#include "story/write.h"

/* Looks at JSON without its numbers and names. */
static void check(const char *data)
{
	int depth = 0;
	bool in_text = false;

	assert(!strchr(data, '<'));
	for (; *data; data++) {
		if (in_text && *data == '\\')
			data++;
		else if (*data == '"')
			in_text = !in_text;
		else if (!in_text && strchr("{[", *data))
			depth++;
		else if (!in_text && strchr("}]", *data))
			depth--;
	}
	assert(depth == 0 && !in_text);
}

static void write_data(FILE *capture, const struct overview *overview)
{
	char *data = NULL;
	size_t len;
	FILE *page = open_memstream(&data, &len);

	assert(page);
	rewind(capture);
	assert(story_write(page, capture, "fuzz", overview) == 0);
	assert(fclose(page) == 0);
	check(data);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct choice choices[] = {
		{.device = CHOICE_ANY, .queue = CHOICE_ANY, .first = 1},
		{.device = CHOICE_ANY, .queue = CHOICE_ANY, .first = 1, .chain = 1},
		{.device = 2, .queue = 0, .first = 3},
	};
	struct overview overview;
	FILE *capture;
	int ret;

	if (size == 0)
		return 0;
	capture = fmemopen((void *)(uintptr_t)data, size, "r");
	assert(capture);
	ret = choice_look(&overview, capture, &choices[size / 4 % 3]);
	assert(ret == 0 || choices[size / 4 % 3].chain);
	if (ret == 0)
		assert(overview.shown <= overview.chosen && overview.chosen <= overview.steps);
	if (ret == 0 && overview.shown > 0)
		write_data(capture, &overview);
	fclose(capture);
	return 0;
}
