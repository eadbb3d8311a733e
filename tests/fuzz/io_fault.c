/* SPDX-License-Identifier: BSD-2-Clause */
/* What the disk's host does wrong: the calls on its file come here (tests/faulty/calls.c). */
#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../faulty/faulty.h"

/* For vole's calls on the file, one after the other, 3 bits each, the lowest first. */
static uint64_t plan;
static struct io_fault outcome;

/* Without the name of a file calls.c does not look further, and an input costs little more. */
void io_fault_begin(int file, uint64_t faults)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	setenv("VOLE_FAULTY_FILE", path, 1);
	plan = faults;
	outcome = (struct io_fault){0};
}

struct io_fault io_fault_end(void)
{
	unsetenv("VOLE_FAULTY_FILE");
	return outcome;
}

static void shorten(size_t *len, size_t to)
{
	if (len && *len > to)
		*len = to;
}

int fault_of(enum call call, size_t *len)
{
	unsigned what = plan & 7;

	plan >>= 3;
	switch (what) {
	case 3:
		return EINTR;
	case 4:
		shorten(len, len ? (*len + 1) / 2 : 0);
		return 0;
	case 5:
		shorten(len, 1);
		return 0;
	case 6:
		outcome.failed = true;
		return EIO;
	case 7:
		if (call == CALL_ALLOCATE)
			outcome.unable = true;
		else
			outcome.failed = true;
		return call == CALL_ALLOCATE ? EOPNOTSUPP : ENOSPC;
	default:
		return 0;
	}
}
