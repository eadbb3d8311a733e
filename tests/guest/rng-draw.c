/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws 64 KiB from the entropy device and looks whether all of it was written, and not twice the
 * same. Exit status 0. */

#include "check.h"
#include "memory.h"
#include "rng.h"

#define LEN 65536

static struct rng rng;

int main(const struct start_info *info)
{
	uint8_t *bytes = pages_take(LEN / PAGE_SIZE);

	if (rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)))
		return 1;
	check(rng_read(&rng, bytes, LEN) == 0, "bytes come");

	/* Free memory is zero. That 8 random bytes are happens once in 2^64 times. */
	for (uint32_t i = 0; i < LEN; i += 1024)
		check(*(uint32_t *)(bytes + i) || *(uint32_t *)(bytes + i + 4),
			"bytes at %u are written", i);
	check(bytes[LEN - 1] | bytes[LEN - 2] | bytes[LEN - 3] | bytes[LEN - 4],
		"the last bytes are written");
	check(memcmp(bytes, bytes + LEN / 2, LEN / 2) != 0, "RNG-DEV-01 the halves differ");

	/* Any length, any alignment, and nothing beyond. */
	memset(bytes, 0, 16);
	check(rng_read(&rng, bytes + 1, 13) == 0, "13 bytes come");
	check(bytes[0] == 0 && bytes[14] == 0 && bytes[15] == 0,
		"RNG-DEV-02 nothing is written around them");
	return check_done();
}
