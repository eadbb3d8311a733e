/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel without an interrupt table divides by zero.
 *   run: --timeout 20
 *   status: 126
 *   says: guest crashed
 *   prints: begin
 */
#include "case.h"

static volatile int zero;

static int divide(int value)
{
	return value / zero;
}

int main(const struct start_info *info)
{
	print("begin\n");
	return divide((int)info->size);
}
