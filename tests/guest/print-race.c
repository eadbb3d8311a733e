/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU 0 draws bytes from the entropy device, while CPU 1 prints what is in its buffer: 100000
 * letters. So output has to wait for its reader while a kick of the other CPU waits for the device.
 * No interrupt is waited for: the KVM of tests/lane forgets the shadow of STI at times (engines.md,
 * 6), and of so many waits one would sleep behind its interrupt.
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

static bool draw(struct virtq *vq)
{
	struct virtq_buffer writable = {(void *)data, sizeof data};
	uint32_t len;

	if (virtq_add(vq, &writable, 0, 1, vq) < 0)
		return false;
	virtq_kick(vq);
	while (!virtq_pending(vq))
		cpu_relax();
	return virtq_take(vq, &len) && len == sizeof data;
}

int main(const struct start_info *info)
{
	static struct rng rng;

	check(rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)) == 0, "the device comes up");
	check(cpu_run(1, print, NULL) == 0, "CPU 1 starts");
	virtq_interrupts_off(&rng.vq);
	while (!atomic_load(&printed))
		check(draw(&rng.vq), "bytes are drawn");
	return check_done();
}
