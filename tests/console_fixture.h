/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_CONSOLE_FIXTURE_H
#define TESTS_CONSOLE_FIXTURE_H

/* A console of one port with its driver and a host whose input and output a test sets. */

#include <stdlib.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "console.h"
#include "driver.h"
#include "ring_forms.h"
#include "tap.h"

#define RECEIVE  VIRTIO_CONSOLE_QUEUE_RECEIVE
#define TRANSMIT VIRTIO_CONSOLE_QUEUE_TRANSMIT
#define CONFIG   VIRTIO_MMIO_CONFIG

struct fixture {
	struct driver d;
	struct fake_console host;
	struct virtio_console con;
	struct ring *in, *out;
	gpa_t page;
};

static inline struct fixture *setup_window(uint16_t cols, uint16_t rows)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_console_init(&f->host, cols, rows);
	virtio_console_init(&f->con, &(struct console_port_host){&f->host.backend, NULL}, 1, false,
		&f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->con.dev);
	f->in = &f->d.rings[RECEIVE];
	f->out = &f->d.rings[TRANSMIT];
	f->page = ram_alloc(&f->d.ram, 8192, 4096);
	return f;
}

static inline struct fixture *setup(void)
{
	struct fixture *f = setup_window(0, 0);

	driver_start(&f->d, 0);
	return f;
}

static inline void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

static inline void input(struct fixture *f, const char *text)
{
	f->host.input = (const uint8_t *)text;
	f->host.input_len = strlen(text);
}

/* Calls the device as long as something that it wants is there, as a loop around epoll does.
 * Returns how many calls it took. */
static inline unsigned host_loop(struct fixture *f)
{
	unsigned calls = 0;

	while (calls < 1000 &&
		((f->host.input_wanted && (f->host.input_len > 0 || f->host.input_end)) ||
			(f->host.output_wanted && f->host.output_room > 0))) {
		virtio_backend_ready(&f->con.dev, 0);
		driver_serve(&f->d);
		calls++;
	}
	return calls;
}

static inline bool output_is(struct fixture *f, const char *text)
{
	return f->host.output_len == strlen(text) &&
	       memcmp(f->host.output, text, strlen(text)) == 0;
}

/* Put text into guest memory and make it available for transmission. */
static inline void print(struct fixture *f, gpa_t gpa, const char *text)
{
	memcpy(ram_at(&f->d.ram, gpa), text, strlen(text));
	ring_add_one(f->out, gpa, strlen(text), false);
	driver_kick(&f->d, TRANSMIT);
}

#endif
