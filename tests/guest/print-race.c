/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU 0 draws bytes from the entropy device, while CPU 1 prints what is in its buffer: 100000
 * letters. So output has to wait for its reader while a kick of the other CPU waits for the device.
 */

#include <stdatomic.h>

#include <vole/ports.h>

#include "check.h"
#include "cpu.h"
#include "rng.h"
#include "x86.h"

#define LETTERS 100000

static _Alignas(64) volatile uint8_t data[16];
static atomic_bool printed;

static void print(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < LETTERS; i++)
		out8(VOLE_PORT_DEBUG, (uint8_t)('A' + data[0] % 26));
	atomic_store(&printed, true);
}

int main(const struct start_info *info)
{
	static struct rng rng;

	check(rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)) == 0, "the device comes up");
	check(cpu_run(1, print, NULL) == 0, "CPU 1 starts");
	while (!atomic_load(&printed))
		check(rng_read(&rng, (void *)data, sizeof data) == 0, "bytes are drawn");
	return check_done();
}
