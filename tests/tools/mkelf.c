/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkelf KIND FILE: write a small ELF file of that kind; what vole says of a bad one goes to
 * standard output, after "FILE: ". mkelf list: every kind, one a line, with "loads", "image" or
 * "placement" for what refuses it.
 */

#include <stdio.h>
#include <string.h>

#include "../elf_make.h"

static int list(void)
{
	static const char *const outcomes[] = {
		[ELF_LOADS] = "loads",
		[ELF_BAD_IMAGE] = "image",
		[ELF_BAD_PLACEMENT] = "placement",
	};

	for (const struct elf_kind *kind = elf_kinds; kind->name; kind++)
		printf("%s %s\n", kind->name, outcomes[kind->outcome]);
	return 0;
}

static int write_file(const char *path, const struct elf_file *file)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(file, 1, file->len, out) != file->len || fclose(out) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct elf_kind *kind = argc == 3 ? elf_kind_find(argv[1]) : NULL;
	struct elf_file file;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (!kind) {
		fprintf(stderr, "usage: mkelf KIND FILE | mkelf list\n");
		return 2;
	}
	elf_make(&file, kind);
	if (kind->refusal)
		printf("%s\n", kind->refusal);
	return write_file(argv[2], &file);
}
