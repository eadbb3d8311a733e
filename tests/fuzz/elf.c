/* SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_run("vole", data, size);
	return 0;
}
