/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host's disk that does not return: the device's registers answer all the same, and only a reset
 * waits, so that after it nobody touches guest memory.
 */
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"
#include "block.h"

#define READS 3

struct fixture {
	struct driver d;
	struct fake_block host;
	struct virtio_block blk;
	gpa_t page;
	sem_t entered, released; /* a transfer by the host began, and may end */
	atomic_uint returned;    /* transfers that ended */
	pthread_t server, resetter;
	atomic_bool is_reset;       /* the write to Status has returned ... */
	unsigned returned_at_reset; /* ... when so many transfers had */
};

static void stall(void *ctx)
{
	struct fixture *f = ctx;

	sem_post(&f->entered);
	sem_wait(&f->released);
	f->returned++;
}

static struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_block_init(&f->host);
	sem_init(&f->entered, 0, 0);
	sem_init(&f->released, 0, 0);
	virtio_block_init(
		&f->blk, &f->host.backend, 1, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->blk.dev);
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_BLK_F_FLUSH));
	f->page = ram_alloc(&f->d.ram, 8192, 4096);
	f->host.on_transfer = stall;
	f->host.ctx = f;
	return f;
}

static void teardown(struct fixture *f)
{
	sem_destroy(&f->entered);
	sem_destroy(&f->released);
	driver_free(&f->d);
	free(f);
}

static void add_read(struct fixture *f, unsigned i)
{
	gpa_t header = f->page + 4096 + 32 * i;
	struct virtio_blk_req req = {.type = cpu_to_le32(VIRTIO_BLK_T_IN)};
	const struct buffer buffers[] = {{header, sizeof req, false},
		{f->page + 512 * i, 512, true}, {header + 16, 1, true}};

	memcpy(ram_at(&f->d.ram, header), &req, sizeof req);
	ring_add(&f->d.rings[0], buffers, 3);
}

static void *serve(void *arg)
{
	struct fixture *f = arg;

	virtio_serve(&f->blk.dev, 0);
	return NULL;
}

/* Has a thread serve READS requests, which is in the host for the first of them from here on. */
static void begin(struct fixture *f)
{
	for (unsigned i = 0; i < READS; i++)
		add_read(f, i);
	pthread_create(&f->server, NULL, serve, f);
	sem_wait(&f->entered);
}

static void *reset(void *arg)
{
	struct fixture *f = arg;

	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	f->returned_at_reset = f->returned;
	f->is_reset = true;
	return NULL;
}

/* Begins a reset on a thread, which waits from here on. */
static void begin_reset(struct fixture *f)
{
	unsigned stops = 0;

	pthread_create(&f->resetter, NULL, reset, f);
	while (stops == 0 && !f->is_reset) {
		pthread_mutex_lock(&f->blk.dev.lock);
		stops = f->blk.dev.stops;
		pthread_mutex_unlock(&f->blk.dev.lock);
		sched_yield();
	}
}

static void test_registers(void)
{
	struct fixture *f = setup();

	begin(f);
	alarm(60);
	is(reg_read(&f->d, VIRTIO_MMIO_STATUS), 0xf, "Status is read while the host works");
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 1, "and QueueReady");
	is(access_read(&f->d, VIRTIO_MMIO_CONFIG, 4), FAKE_DISK_SECTORS, "and configuration space");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	ok(f->d.host.pending[0], "a kick is taken");
	virtio_config_changed(&f->blk.dev);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG,
		"a change of configuration is told");
	for (unsigned i = 0; i < READS; i++)
		sem_post(&f->released);
	pthread_join(f->server, NULL);
	is(f->returned, READS, "all requests are served when the host goes on");
	alarm(0);
	teardown(f);
}

static void test_reset(void)
{
	struct fixture *f = setup();
	struct used used;

	begin(f);
	alarm(60);
	begin_reset(f);
	ok(!f->is_reset, "BASE-DEV-02 (2.4.1) a reset waits for the host");
	sem_post(&f->released);
	pthread_join(f->resetter, NULL);
	pthread_join(f->server, NULL);
	is(f->returned_at_reset, 1, "BASE-DEV-02 (2.4.1) and returns when the host has");
	is(f->host.reads, 1, "the other requests are not begun");
	ok(ring_take(&f->d.rings[0], &used) && !ring_take(&f->d.rings[0], &used),
		"what was done is given back");
	is(reg_read(&f->d, VIRTIO_MMIO_STATUS), 0, "the device is reset");
	alarm(0);
	teardown(f);
}

static void test_end(void)
{
	struct fixture *f = setup();

	begin(f);
	alarm(60);
	f->d.host.ending = true;
	begin_reset(f);
	pthread_join(f->resetter, NULL);
	is(f->returned_at_reset, 0, "a machine that ends waits for no host");
	is(reg_read(&f->d, VIRTIO_MMIO_STATUS), 0xf, "and nothing is reset");
	for (unsigned i = 0; i < READS; i++)
		sem_post(&f->released);
	pthread_join(f->server, NULL);
	alarm(0);
	teardown(f);
}

static void all(void)
{
	test_registers();
	test_reset();
	test_end();
}

int main(void)
{
	for_each_ring_form(all);
	return tap_done();
}
