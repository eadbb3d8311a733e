/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks for more entropy at once than its device gives in one pass, wants to hear nothing of it, and
 * sleeps: what the device does in several passes happens while no CPU executes anything. */

#include "check.h"
#include "memory.h"
#include "rng.h"
#include "x86.h"

#define LEN 65536

static struct rng rng;

int main(const struct start_info *info)
{
	struct virtq_buffer writable = {pages_take(LEN / PAGE_SIZE), LEN};

	if (rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)))
		return 1;
	virtq_interrupts_off(&rng.vq);
	while (!virtq_add(&rng.vq, &writable, 0, 1, &rng))
		;
	virtq_kick(&rng.vq);
	for (;;)
		asm volatile("sti; hlt");
}
