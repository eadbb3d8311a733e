/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request-path FILE: what the device's half of a request costs in vole's process, where the
 * driver's half is a test's (tests/driver_ring.h) and outside what is timed. No VM, no interrupts,
 * and one core: its caches are warm. Prints, in nanoseconds:
 *
 *	split|packed direct|indirect  MEDIAN FASTEST
 *		a chain of three descriptors: pop, push, and its part in publishing a batch of 32
 *	read 32|1  MEDIAN FASTEST  BARE-MEDIAN BARE-FASTEST  RATIO
 *		4 KiB of FILE, so many at once: through the block device and the disk back end,
 *		and by a bare pread(2) of the same bytes to the same place; median of the ratios.
 *		The CPU's cache has the bytes already: they are copied as fast as can be, so the
 *		ratio is as large as it gets
 *
 * All are measured in turn, many times and briefly, so that what else the machine does falls on
 * all of them.
 */

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "../driver.h"
#include "block.h"
#include "io/disk.h"

#define ROUNDS         3000
#define BATCH          32
#define READ_LEN       4096
#define FILE_LEN       (UINT64_C(4) << 20)
#define SECTORS(bytes) ((bytes) / VIRTIO_BLK_SECTOR_SIZE)

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* --- samples ---------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts them as well. */
static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return values[count / 2];
}

/* The time that looking at the clock twice adds to a sample. */
static double clock_cost(void)
{
	static double samples[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = now();

		samples[i] = now() - start;
	}
	return median(samples, ROUNDS);
}

/* --- rings ------------------------------------------------------------------------------------ */

struct queue {
	const char *name;
	uint64_t features;
	struct ram ram;
	struct ring ring;
	struct virtq vq;
	gpa_t page;
	double samples[ROUNDS];
};

static void queue_init(struct queue *queue)
{
	struct ring *ring = &queue->ring;

	ram_init(&queue->ram);
	ring_init(ring, &queue->ram, VIRTQ_SIZE_MAX, queue->features);
	queue->page = ram_alloc(&queue->ram, READ_LEN, READ_LEN);
	queue->vq.size = ring->size;
	queue->vq.desc = ring->desc;
	queue->vq.driver = ring->avail;
	queue->vq.device = ring->used;
	if (virtq_enable(&queue->vq, &queue->ram.gmem, VIRTQ_SIZE_MAX, queue->features) < 0)
		errx(1, "%s: %s", queue->name, queue->vq.fault);
}

static void queue_fill(struct queue *queue)
{
	const struct buffer request[] = {
		{queue->page, 16, false}, {queue->page, READ_LEN, true}, {queue->page, 1, true}};

	for (unsigned i = 0; i < BATCH; i++)
		ring_add(&queue->ring, request, 3);
}

static void queue_drain(struct queue *queue)
{
	struct used used;

	for (unsigned i = 0; i < BATCH; i++) {
		if (!ring_take(&queue->ring, &used) || used.len != READ_LEN + 1)
			errx(1, "%s: a chain did not come back", queue->name);
	}
}

/* Nanoseconds for a batch of chains. */
static double queue_sample(struct queue *queue)
{
	struct chain chain;
	double start, end;

	queue_fill(queue);
	start = now();
	while (virtq_pop(&queue->vq, &chain) > 0)
		virtq_push(&queue->vq, &chain, (uint32_t)chain.writable_len);
	virtq_publish(&queue->vq);
	end = now();
	queue_drain(queue);
	return end - start;
}

/* --- a disk ----------------------------------------------------------------------------------- */

struct reader {
	struct driver driver;
	struct virtio_block blk;
	struct disk disk;
	gpa_t headers, data; /* one each per request under way */
	uint64_t offset;     /* of the next batch in the file */
};

static void file_fill(const char *path)
{
	uint8_t page[READ_LEN];
	FILE *file = fopen(path, "wb");

	if (!file)
		err(1, "%s", path);
	for (uint64_t i = 0; i < FILE_LEN / READ_LEN; i++) {
		memset(page, (int)(i % 255 + 1), sizeof page);
		if (fwrite(page, sizeof page, 1, file) != 1)
			err(1, "%s", path);
	}
	if (fclose(file) != 0)
		err(1, "%s", path);
}

static void reader_init(struct reader *reader, const char *path)
{
	const struct disk_options options = {.path = path, .read_only = true};
	struct driver *driver = &reader->driver;

	file_fill(path);
	if (disk_open(&reader->disk, &options, 0) < 0)
		exit(1);
	driver_init(driver);
	virtio_block_init(&reader->blk, &reader->disk.backend, 1, &driver->ram.gmem,
		&driver_host_ops, &driver->host);
	driver_attach(driver, &reader->blk.dev);
	if (!driver_negotiate(driver, 0) || !driver_setup(driver, 0, VIRTQ_SIZE_MAX))
		errx(1, "block: no queue");
	driver_ok(driver);
	driver_serve(driver);
	reader->headers = ram_alloc(&driver->ram, BATCH * 32, 16);
	reader->data = ram_alloc(&driver->ram, BATCH * READ_LEN, READ_LEN);
}

static gpa_t data_at(const struct reader *reader, unsigned request)
{
	return reader->data + request * READ_LEN;
}

static void reader_submit(struct reader *reader, unsigned request)
{
	struct driver *driver = &reader->driver;
	gpa_t header = reader->headers + 32 * request, status = header + 16;
	uint64_t sector = SECTORS(reader->offset + request * READ_LEN);
	struct virtio_blk_req *req = ram_at(&driver->ram, header);
	const struct buffer buffers[] = {{header, sizeof *req, false},
		{data_at(reader, request), READ_LEN, true}, {status, 1, true}};

	*req = (struct virtio_blk_req){
		.type = cpu_to_le32(VIRTIO_BLK_T_IN), .sector = cpu_to_le64(sector)};
	ring_add(&driver->rings[0], buffers, 3);
}

/* All of these came back, with the bytes of the file. */
static void reader_finish(struct reader *reader, unsigned count)
{
	struct driver *driver = &reader->driver;
	struct used used;

	for (unsigned i = 0; i < count; i++) {
		uint64_t page = reader->offset / READ_LEN + i;
		const uint8_t *data = ram_at(&driver->ram, data_at(reader, i));

		if (!ring_take(&driver->rings[0], &used) || used.len != READ_LEN + 1 ||
			data[0] != page % 255 + 1 || data[READ_LEN - 1] != data[0])
			errx(1, "block: a read failed");
	}
}

/* Nanoseconds for so many reads. */
static double read_sample(struct reader *reader, unsigned count)
{
	double start, end;

	for (unsigned i = 0; i < count; i++)
		reader_submit(reader, i);
	start = now();
	virtio_serve(&reader->blk.dev, 0);
	end = now();
	reader_finish(reader, count);
	return end - start;
}

/* The same without a device. */
static double bare_sample(struct reader *reader, unsigned count)
{
	void *data = ram_at(&reader->driver.ram, reader->data);
	double start, end;

	start = now();
	for (unsigned i = 0; i < count; i++) {
		off_t offset = (off_t)(reader->offset + i * READ_LEN);

		if (pread(reader->disk.fd, (uint8_t *)data + i * READ_LEN, READ_LEN, offset) !=
			READ_LEN)
			err(1, "pread");
	}
	end = now();
	return end - start;
}

struct depth {
	unsigned count; /* a divisor of the pages in the file: no batch goes past its end */
	double read[ROUNDS], bare[ROUNDS], ratios[ROUNDS];
};

/* Both in turn, of the same bytes, which were read before; who is first changes. */
static void depth_sample(struct depth *depth, struct reader *reader, unsigned round, double clock)
{
	const unsigned count = depth->count;
	double *read = &depth->read[round], *bare = &depth->bare[round];

	reader->offset = (uint64_t)round * count * READ_LEN % FILE_LEN;
	bare_sample(reader, count);
	if (round % 2 == 0)
		*bare = (bare_sample(reader, count) - clock) / count;
	*read = (read_sample(reader, count) - clock) / count;
	if (round % 2 == 1)
		*bare = (bare_sample(reader, count) - clock) / count;
	depth->ratios[round] = *read / *bare;
}

/* --- all of them ------------------------------------------------------------------------------ */

#define INDIRECT VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)
#define PACKED   VIRTIO_BIT(VIRTIO_F_RING_PACKED)

static struct queue queues[] = {
	{.name = "split direct"},
	{.name = "split indirect", .features = INDIRECT},
	{.name = "packed direct", .features = PACKED},
	{.name = "packed indirect", .features = PACKED | INDIRECT},
};
static struct depth depths[] = {{.count = BATCH}, {.count = 1}};
static struct reader reader;

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void measure(void)
{
	double clock = clock_cost();

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < COUNT(queues); i++)
			queues[i].samples[round] = (queue_sample(&queues[i]) - clock) / BATCH;
		for (unsigned i = 0; i < COUNT(depths); i++)
			depth_sample(&depths[i], &reader, round, clock);
	}
}

/* Median and fastest. */
static void print_samples(double *samples)
{
	double middle = median(samples, ROUNDS);

	printf(" %.1f %.1f", middle, samples[0]);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(1, "usage: request-path FILE");
	for (unsigned i = 0; i < COUNT(queues); i++)
		queue_init(&queues[i]);
	reader_init(&reader, argv[1]);
	measure();
	for (unsigned i = 0; i < COUNT(queues); i++) {
		printf("%s", queues[i].name);
		print_samples(queues[i].samples);
		printf("\n");
	}
	for (unsigned i = 0; i < COUNT(depths); i++) {
		printf("read %u", depths[i].count);
		print_samples(depths[i].read);
		print_samples(depths[i].bare);
		printf(" %.2f\n", median(depths[i].ratios, ROUNDS));
	}
	return 0;
}
