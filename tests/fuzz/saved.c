/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The saved state of a virtio device that somebody has changed: it is refused, or a device goes on
 * from it and serves whatever memory holds. The first byte of an input chooses the type and the
 * form of the rings, the next 64 say where which bytes of memory are written; then come changes of
 * the state: offset (2 bytes) and byte. Or the input is the setup of a machine, as a stream.
 */
#include "save.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../virtio_fixture.h"
#include "input.h"
#include "machine/setup.h"
#include "snapshot/stream.h"

/* So many bytes of the rings are another's, too. */
#define MEMORY_CHANGES 16

static void restore(struct fixture *f, struct virtio_saved *saved)
{
	const char *why;
	int ret = virtio_restore(f->d.dev, saved, &why);

	assert(ret == 0 || (ret == -EINVAL && why));
	if (ret < 0)
		return;
	for (unsigned i = 0; i < f->d.dev->queue_count; i++)
		virtio_serve(f->d.dev, i);
	virtio_backend_ready(f->d.dev, 0);
	/* What it is now can be saved and restored again. */
	virtio_save(f->d.dev, saved);
	ret = virtio_restore(f->d.dev, saved, &why);
	assert(ret == 0 || (ret == -EINVAL && why));
}

/* Truth values are 0 or 1, as a stream has them. */
static void settle(struct virtio_saved *saved)
{
	bool *const flags[] = {&saved->live, &saved->mode_chosen, &saved->writeback};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		*(uint8_t *)flags[i] &= 1;
	for (unsigned i = 0; i < VIRTIO_SAVED_QUEUES; i++) {
		struct virtio_saved_queue *queue = &saved->queues[i];

		*(uint8_t *)&queue->ready &= 1;
		*(uint8_t *)&queue->ran_dry &= 1;
		*(uint8_t *)&queue->wrap &= 1;
		*(uint8_t *)&queue->is_held &= 1;
	}
	for (unsigned i = 0; i < VIRTIO_SAVED_PORTS; i++) {
		struct virtio_saved_port *port = &saved->ports[i];

		*(uint8_t *)&port->added &= 1;
		*(uint8_t *)&port->ready &= 1;
		*(uint8_t *)&port->opened &= 1;
		*(uint8_t *)&port->connected &= 1;
	}
}

/* The setup's sections come from a file as well. */
static void read_setup(const uint8_t *bytes, size_t len)
{
	static struct setup setup;
	struct snapshot_stream stream;

	snapshot_read(&stream, bytes, len);
	setup_transfer(&setup, &stream);
	if (!snapshot_failed(&stream))
		assert(setup.cpu_count <= CPUS_MAX && setup.region_count <= MEMORY_REGIONS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	unsigned choice = (unsigned)take(&in, 1);
	struct virtio_saved saved;
	struct fixture *f;

	if (choice % 4 == 3) {
		read_setup(in.next, input_left(&in));
		return 0;
	}
	driver_ring_form = choice & 4 ? PACKED : 0;
	f = setup(types[choice % 4].type);
	f->rng_host.left = 0;
	driver_start(&f->d, 0);
	for (unsigned i = 0; i < f->d.dev->queue_count; i++)
		ring_add_one(&f->d.rings[i], f->page, 64, i % 2 == 0);
	for (unsigned i = 0; choice & 8 && i < f->d.dev->queue_count; i++)
		virtio_serve(f->d.dev, i);
	virtio_save(f->d.dev, &saved);
	for (unsigned i = 0; i < MEMORY_CHANGES; i++) {
		gpa_t address = take(&in, 3) % RAM_SIZE;

		*(uint8_t *)ram_at(&f->d.ram, address) = (uint8_t)take(&in, 1);
	}
	while (input_left(&in) > 0) {
		size_t offset = take(&in, 2) % sizeof saved;

		((uint8_t *)&saved)[offset] = (uint8_t)take(&in, 1);
	}
	settle(&saved);
	restore(f, &saved);
	teardown(f);
	driver_ring_form = 0;
	return 0;
}
