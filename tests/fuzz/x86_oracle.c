/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequences of instructions on the software CPU and on the host's processor: the input chooses them
 * (oracle_builder.h), and both must end alike. On a host of another kind the software CPU runs
 * alone.
 */
#include "../oracle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "../oracle_builder.h"

/* What is made once: the process has no end of its own at which it could be freed. */
static struct oracle_soft *soft;

static void open_once(void)
{
	if (soft)
		return;
	soft = oracle_soft_new();
	assert(soft);
	if (oracle_native_is_there() && oracle_native_open() != 0) {
		fprintf(stderr, "the addresses of the cases are taken\n");
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct oracle_case test;
	static struct oracle_result native_result, soft_result;
	static char text[8192];

	open_once();
	oracle_build(&test, data, size);
	oracle_soft_run(soft, &test, &soft_result);
	assert(soft_result.vector != ORACLE_LOST);
	if (!oracle_native_is_there() || !oracle_native_permits(&soft_result))
		return 0;
	if (oracle_native_run(&test, &native_result) != 0)
		abort();
	if (!oracle_same(&test, &native_result, &soft_result, text, sizeof text)) {
		fprintf(stderr, "%s", text);
		abort();
	}
	return 0;
}
