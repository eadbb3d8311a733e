/* SPDX-License-Identifier: BSD-2-Clause */
/* Chaos on a console: the bytes that come in stay in their order, for every seed. */
#include <string.h>

#include "../driver.h"
#include "../tap.h"
#include "chaos.h"
#include "console.h"

#define SEEDS  100
#define CHAINS 4 /* the smallest queue holds them */

/* Takes what has come in, in the order in which buffers come back. Returns the number of bytes. */
static size_t take_input(struct driver *d, gpa_t buffers, const uint16_t ids[CHAINS], char *text)
{
	size_t len = 0;
	struct used used;

	while (ring_take(&d->rings[0], &used))
		for (unsigned i = 0; i < CHAINS; i++)
			if (ids[i] == used.id) {
				memcpy(text + len, ram_at(&d->ram, buffers + 8 * i), used.len);
				len += used.len;
			}
	return len;
}

/* Has a console receive a text in some buffers. Returns whether it comes in its order. */
static bool receives(uint64_t seed)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz012345";
	struct virtio_console con;
	struct fake_console host;
	struct driver d;
	char got[sizeof text] = "";
	uint16_t ids[CHAINS];
	gpa_t buffers;

	driver_init(&d);
	fake_console_init(&host, 80, 25);
	virtio_console_init(&con, &(struct console_port_host){&host.backend, NULL}, 1, false,
		&d.ram.gmem, &driver_host_ops, &d.host);
	con.dev.chaos = chaos_open(&(struct chaos_choice){.on = true, .seed = seed}, 0,
		con.dev.queues, 2, con.dev.ops->streams);
	driver_attach(&d, &con.dev);
	driver_negotiate(&d, 0);
	driver_setup(&d, 0, CHAINS);
	driver_ok(&d);
	buffers = ram_alloc(&d.ram, CHAINS * 8, 8);
	host.input = (const uint8_t *)text;
	host.input_len = sizeof text - 1;
	for (unsigned i = 0; i < CHAINS; i++)
		ids[i] = ring_add_one(&d.rings[0], buffers + 8 * i, 8, true);
	while (virtio_serve(&con.dev, 0))
		;
	take_input(&d, buffers, ids, got);
	chaos_free(con.dev.chaos);
	driver_free(&d);
	return got[0] && memcmp(got, text, strlen(got)) == 0;
}

static void test_stream(void)
{
	unsigned right = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++)
		right += receives(seed);
	is(right, SEEDS, "5.3.6 a console's input comes in its order");
}

int main(void)
{
	test_stream();
	return tap_done();
}
