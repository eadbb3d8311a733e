/* SPDX-License-Identifier: BSD-2-Clause */
#include "refusal.h"

#include <stdio.h>
#include <string.h>

#include "boot/boot.h"
#include "capture.h"
#include "tap.h"

void boot_refuses(const struct options *options, int status, const char *words, const char *name)
{
	struct boot *boot;
	const char *said;
	int ret;

	capture_begin();
	ret = boot_open(&boot, options);
	boot_free(boot);
	said = capture_end();
	is(ret, status, "%s: refused", name);
	if (!ok(strstr(said, words) && capture_lines(said) == 1, "%s: says \"%s\"", name, words))
		printf("# %s", said);
}
