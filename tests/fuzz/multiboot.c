/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "image.h"
#include "input.h"

#define MAGIC1 0x1badb002u
#define MAGIC2 0xe85250d6u

/* Makes the checksum of a header right, which a fuzzer would not find: the last of count words. */
static void make_sum(uint8_t *header, unsigned count)
{
	uint32_t words[4], sum = 0;

	memcpy(words, header, count * sizeof *words);
	for (unsigned i = 0; i < count - 1; i++)
		sum += words[i];
	sum = -sum;
	memcpy(header + 4 * (count - 1), &sum, sizeof sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t image[1 << 16];
	uint32_t magic;

	if (size > sizeof image)
		return 0;
	memcpy(image, data, size);
	for (size_t at = 0; at + 16 <= size; at += 4) {
		memcpy(&magic, image + at, sizeof magic);
		if (magic == MAGIC1)
			make_sum(image + at, 3);
		else if (magic == MAGIC2 && at % 8 == 0)
			make_sum(image + at, 4);
	}
	image_run("multiboot", image, size);
	return 0;
}
