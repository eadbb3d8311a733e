/* SPDX-License-Identifier: BSD-2-Clause */
/* Uses the entropy device without interrupts: asks for none, looks at the used ring until the
 * answer is there, and counts those that came nevertheless: none. Exit status 0. */

#include "check.h"
#include "rng.h"
#include "x86.h"

#define ROUNDS 200 /* three times around the ring */

static struct rng rng;

int main(const struct start_info *info)
{
	uint8_t bytes[4];
	struct virtq_buffer writable = {bytes, sizeof(bytes)};

	if (rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)))
		return 1;
	virtq_interrupts_off(&rng.vq);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t written = 0;

		check(virtq_add(&rng.vq, &writable, 0, 1, bytes) == 0, "a descriptor is free");
		virtq_kick(&rng.vq);
		while (!virtq_pending(&rng.vq))
			cpu_relax();
		check(virtq_take(&rng.vq, &written) == bytes, "our request comes back");
		check(written >= 1 && written <= sizeof(bytes), "with bytes, %u", written);
	}
	check(atomic_load(&rng.dev.interrupts) == 0, "SPLIT-DEV-13 (2.7.7.2) no interrupt came");
	return check_done();
}
