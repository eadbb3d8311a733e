/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faulty.h"

#define ERRNO_MAX 133

/* One fault of VOLE_FAULTS. */
struct fault {
	char call[16], what[16];
	unsigned first, last;
};

_Noreturn static void refuse(const char *text)
{
	fprintf(stderr, "VOLE_FAULTS: %s\n", text);
	abort();
}

/* Returns the length that a shortened transfer has, or len if what is no such fault. */
static size_t shortened(const char *what, size_t len)
{
	if (strcmp(what, "half") == 0)
		return (len + 1) / 2;
	if (strcmp(what, "byte") == 0)
		return len > 0;
	return strcmp(what, "nothing") == 0 ? 0 : len;
}

static int error_of(const char *what)
{
	for (int error = 1; error <= ERRNO_MAX; error++) {
		const char *name = strerrorname_np(error);

		if (name && strcmp(name, what) == 0)
			return error;
	}
	refuse(what);
}

static int apply(const struct fault *fault, size_t *len)
{
	size_t all = 2;

	if (shortened(fault->what, all) == all)
		return error_of(fault->what);
	if (!len)
		refuse(fault->what);
	*len = shortened(fault->what, *len);
	return 0;
}

int fault_of(enum call call, size_t *len)
{
	static const char *const names[CALL_COUNT] = {
		"open", "stat", "size", "lock", "read", "write", "flush", "allocate"};
	static atomic_uint counts[CALL_COUNT];
	const char *text = getenv("VOLE_FAULTS");
	unsigned number = atomic_fetch_add(&counts[call], 1) + 1;

	while (text && *text) {
		struct fault fault;
		int used = 0;

		if (sscanf(text, "%15[a-z]:%u-%u=%15[A-Za-z0-9] %n", fault.call, &fault.first,
			    &fault.last, fault.what, &used) != 4)
			refuse(text);
		if (strcmp(fault.call, names[call]) == 0 && number >= fault.first &&
			number <= fault.last)
			return apply(&fault, len);
		text += used;
	}
	return 0;
}
