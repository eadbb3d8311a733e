/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target on the files that are named, without libFuzzer: any compiler can replay a
 * corpus. Each file's bytes are in memory that ends where they do.
 */
#include <stdio.h>
#include <stdlib.h>

#include "input.h"

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	long size = -1;
	uint8_t *bytes = NULL;
	int ret = 1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size >= 0)
		bytes = malloc((size_t)size);
	if (size == 0 || (bytes && fseek(file, 0, SEEK_SET) == 0 &&
				 fread(bytes, 1, (size_t)size, file) == (size_t)size)) {
		/* The last one said is the one to blame. */
		printf("%s\n", path);
		fflush(stdout);
		LLVMFuzzerTestOneInput(bytes, (size_t)size);
		ret = 0;
	} else {
		perror(path);
	}
	if (file)
		fclose(file);
	free(bytes);
	return ret;
}

int main(int argc, char **argv)
{
	int ret = 0;

	for (int i = 1; i < argc; i++)
		ret |= replay(argv[i]);
	return ret;
}
