/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mistake three calls deep: the report shows who called, with certainty if the compiler keeps
 * frame pointers.
 *   build: -fomit-frame-pointer
 *   run: --timeout 20
 *   status: 126
 *   says: guest crashed
 *   says:   called from middle\+0x[0-9a-f]+\n.*and perhaps from outer\+0x[0-9a-f]+, main\+0x[0-9a-f]+\n
 *   says: EAX
 *   build: -fno-omit-frame-pointer
 *   run: --timeout 20
 *   status: 126
 *   says: guest crashed
 *   says:   called from middle\+0x[0-9a-f]+, outer\+0x[0-9a-f]+, main\+0x[0-9a-f]+\n
 *   says: EAX
 */
#include "case.h"

static __attribute__((noinline)) uint32_t load_far(uint32_t address)
{
	return read32(address + 0x1000) + 1;
}

static __attribute__((noinline)) uint32_t middle(uint32_t address)
{
	volatile uint32_t local[4] = {address};

	return load_far(local[0]) + local[1];
}

static __attribute__((noinline)) uint32_t outer(uint32_t address)
{
	return middle(address) + 1;
}

int main(const struct start_info *info)
{
	(void)info;
	return (int)outer(0xcccc0000) + 1;
}
