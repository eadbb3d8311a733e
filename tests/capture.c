/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int kept = -1, shown = -1;

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	printf("Bail out! capture: %s fails\n", what);
	exit(1);
}

void capture_begin(void)
{
	if (kept < 0) {
		must(kept = memfd_create("capture", MFD_CLOEXEC), "memfd_create");
		must(shown = dup(STDERR_FILENO), "dup");
	}
	must(ftruncate(kept, 0), "ftruncate");
	must((int)lseek(kept, 0, SEEK_SET), "lseek");
	must(dup2(kept, STDERR_FILENO), "dup2");
}

const char *capture_end(void)
{
	static char text[65536];
	ssize_t n = pread(kept, text, sizeof text - 1, 0);

	must((int)n, "pread");
	text[n] = '\0';
	must(dup2(shown, STDERR_FILENO), "dup2");
	return text;
}

unsigned capture_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}
