/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_VIRTIO_FIXTURE_H
#define TESTS_VIRTIO_FIXTURE_H

/* Devices of each type with their driver. The entropy device stands for all where the type does not
 * matter. */

#include <stdlib.h>

#include <vole/virtio_blk.h>

#include "block.h"
#include "console.h"
#include "container.h"
#include "driver.h"
#include "ring_forms.h"
#include "rng.h"
#include "tap.h"
#include "virtio.h"

/* One device of each type; d drives the one chosen by setup. */
struct fixture {
	struct driver d;
	struct ring *ring; /* the first of d */
	gpa_t page;
	union {
		struct virtio_rng rng;
		struct virtio_block blk;
		struct virtio_console con;
	};
	struct fake_rng rng_host;
	struct fake_block blk_host;
	struct fake_console con_host;
};

static inline struct fixture *setup(uint32_t type)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct virtio_device *dev = &f->rng.dev;
	const struct gmem *gmem = &f->d.ram.gmem;

	driver_init(&f->d);
	fake_rng_init(&f->rng_host);
	fake_block_init(&f->blk_host);
	fake_console_init(&f->con_host, 80, 25);
	if (type == VIRTIO_ID_BLOCK) {
		dev = &f->blk.dev;
		virtio_block_init(
			&f->blk, &f->blk_host.backend, 1, gmem, &driver_host_ops, &f->d.host);
	} else if (type == VIRTIO_ID_CONSOLE) {
		dev = &f->con.dev;
		virtio_console_init(&f->con,
			&(struct console_port_host){&f->con_host.backend, NULL}, 1, false, gmem,
			&driver_host_ops, &f->d.host);
	} else {
		virtio_rng_init(&f->rng, &f->rng_host.backend, gmem, &driver_host_ops, &f->d.host);
	}
	driver_attach(&f->d, dev);
	f->page = ram_alloc(&f->d.ram, 4096, 4096);
	f->ring = &f->d.rings[0];
	return f;
}

static inline void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

/* VERSION_1, and those of the queues: by default, and on request. */
#define VERSION_1 VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define QUEUES                                                                 \
	(VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | \
		VIRTIO_BIT(VIRTIO_F_RING_RESET))
#define PACKED    VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)
#define MORE_QUEUES \
	(PACKED | VIRTIO_BIT(VIRTIO_F_IN_ORDER) | VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA))

static const struct {
	uint32_t type;
	const char *name;
	uint64_t features;
} types[] = {
	{VIRTIO_ID_BLOCK, "block",
		VERSION_1 | QUEUES | 1 << 14 | 1 << 13 | 1 << 11 | 1 << 10 | 1 << 9 | 1 << 6 |
			1 << 2 | 1 << 1},
	{VIRTIO_ID_CONSOLE, "console", VERSION_1 | QUEUES | 1 << 2 | 1 << 0},
	{VIRTIO_ID_ENTROPY, "rng", VERSION_1 | QUEUES},
};

#endif
