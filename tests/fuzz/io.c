/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmm/io as a whole, on its real loop. The first byte of an input chooses the form of the rings;
 * the others are what guest, clients and the host do. In the end each byte has come once, the disk
 * equals its model, the next client is served, and no descriptor is left open.
 */
#include "io.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_END 64

static char folder[] = "/tmp/vole-fuzz-XXXXXX";

static void remove_folder(void)
{
	rmdir(folder);
}

void io_path(char *path, const char *name)
{
	snprintf(path, IO_PATH_SIZE, "%s/%s", folder, name);
}

static uint64_t open_descriptors(void)
{
	uint64_t open = 0;

	for (int fd = 0; fd < FD_END; fd++)
		open |= (uint64_t)(fcntl(fd, F_GETFD) >= 0) << fd;
	return open;
}

static uint64_t ring_form(unsigned how)
{
	uint64_t form = how & 1 ? VIRTIO_BIT(VIRTIO_F_RING_PACKED) : 0;

	if (how & 2)
		form |= VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX);
	if (how & 4)
		form |= VIRTIO_BIT(VIRTIO_F_IN_ORDER) | VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA);
	return form;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const deeds[])(struct io_world * world) = {io_step, io_rest, io_port_offer,
		io_port_print, io_port_client, io_port_client, io_port_client, io_port_run_out,
		io_disk_request, io_disk_request, io_disk_resize, io_disk_look, io_random_ask,
		io_random_write};
	static struct io_world world;
	static bool is_ready;
	uint64_t before;

	if (!is_ready) {
		signal(SIGPIPE, SIG_IGN); /* as vole does */
		assert(mkdtemp(folder));
		atexit(remove_folder);
		is_ready = true;
	}
	before = open_descriptors();
	memset(&world, 0, sizeof world);
	world.in = input_of(data, size);
	driver_ring_form = ring_form((unsigned)take(&world.in, 1));
	assert(io_loop_init(&world.loop) == 0);
	io_port_open(&world);
	io_disk_open(&world);
	io_random_open(&world);
	while (world.in.next != world.in.end)
		deeds[take(&world.in, 1) % (sizeof deeds / sizeof *deeds)](&world);
	io_rest(&world);
	io_port_close(&world);
	io_random_close(&world);
	io_disk_close(&world);
	io_loop_free(&world.loop);
	driver_ring_form = 0;
	assert(open_descriptors() == before);
	return 0;
}
