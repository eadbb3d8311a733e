/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: one word a line. */
#include "options_parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

#define WORDS_MAX 64

/* The next word, in memory that ends where it does. */
static char *take_word(struct input *in)
{
	const uint8_t *newline = memchr(in->next, '\n', input_left(in));
	size_t len = newline ? (size_t)(newline - in->next) : input_left(in);
	char *word = malloc(len + 1);

	assert(word);
	memcpy(word, in->next, len);
	word[len] = '\0';
	in->next += len + (newline != NULL);
	return word;
}

static void check_options(const struct options *options)
{
	assert(options->kernel);
	assert(options->cpu_count >= 1 && options->cpu_count <= CPUS_MAX);
	assert(options->disk_count <= DISKS_MAX && options->module_count <= MODULES_MAX);
	assert(memchr(options->cmdline, '\0', sizeof options->cmdline));
	for (unsigned i = 0; i < options->disk_count; i++)
		assert(options->disks[i].path && *options->disks[i].path);
	for (unsigned i = 0; i < options->module_count; i++)
		assert(options->modules[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options options;
	struct input in = input_of(data, size);
	char run[] = "run", *words[WORDS_MAX + 2] = {run};
	char *owned[WORDS_MAX]; /* getopt_long() moves those in words */
	int count = 0;

	while (count < WORDS_MAX && input_left(&in) > 0) {
		owned[count] = take_word(&in);
		words[count + 1] = owned[count];
		count++;
	}
	if (options_parse(&options, count + 1, words) == 0)
		check_options(&options);
	while (count > 0)
		free(owned[--count]);
	return 0;
}
