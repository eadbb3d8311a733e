/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws 64 MiB from the entropy device, of which a machine that can go back has to keep some. With
 * a command line it waits for a byte at its console first. */
#include "check.h"
#include "console.h"
#include "memory.h"
#include "rng.h"

#define LEN   65536
#define TIMES 1024

static struct console console;
static struct rng rng;

/* A place for a breakpoint. */
__attribute__((noinline)) static void drawn(uint8_t *bytes)
{
	check(rng_read(&rng, bytes, 1) == 0, "a last byte comes");
}

int main(const struct start_info *info)
{
	uint8_t *bytes = pages_take(LEN / PAGE_SIZE);

	if (rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)))
		return 1;
	if (*info_cmdline(info)) {
		check(console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)) == 0, "console");
		check(console_read_byte(&console) >= 0, "a byte comes");
	}
	for (unsigned i = 0; i < TIMES; i++)
		check(rng_read(&rng, bytes, LEN) == 0, "bytes come");
	drawn(bytes);
	return check_done();
}
