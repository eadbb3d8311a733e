/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RNG_FIXTURE_H
#define TESTS_RNG_FIXTURE_H

/* An entropy device with its driver, and 8 KiB of guest memory for its requests. */

#include <stdlib.h>

#include "driver.h"
#include "ring_forms.h"
#include "rng.h"
#include "tap.h"

struct fixture {
	struct driver d;
	struct fake_rng host;
	struct virtio_rng rng;
	struct ring *ring;
	gpa_t page;
};

static inline struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_rng_init(&f->host);
	virtio_rng_init(&f->rng, &f->host.backend, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->rng.dev);
	driver_start(&f->d, 0);
	f->ring = &f->d.rings[0];
	f->page = ram_alloc(&f->d.ram, 8192, 4096);
	return f;
}

static inline void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

#endif
