/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: requests that lie one behind the other on the disk are one host call. */
#include "../block_fixture.h"

#define COUNT_MAX 80

/* Requests of one sector each, made available together. */
struct batch {
	struct fixture *f;
	gpa_t headers, data, statuses;
	unsigned count;
	uint16_t ids[COUNT_MAX];
	struct used used[COUNT_MAX];
};

static void batch_begin(struct batch *batch, uint64_t features)
{
	struct fixture *f = setup_host(false);

	driver_negotiate(&f->d, features);
	driver_setup(&f->d, 0, 256);
	driver_ok(&f->d);
	*batch = (struct batch){
		.f = f,
		.headers = ram_alloc(&f->d.ram, 16 * COUNT_MAX, 16),
		.data = ram_alloc(&f->d.ram, 512 * COUNT_MAX, 512),
		.statuses = ram_alloc(&f->d.ram, COUNT_MAX, 1),
	};
}

/* A header of header_len bytes: fewer than 16 make a request that cannot be answered. */
static void add(struct batch *batch, uint32_t type, uint64_t sector, uint32_t header_len)
{
	unsigned i = batch->count++;
	struct ram *ram = &batch->f->d.ram;
	struct virtio_blk_req header = {cpu_to_le32(type), cpu_to_le32(0), cpu_to_le64(sector)};
	struct buffer buffers[] = {{batch->headers + 16 * i, header_len, false},
		{batch->data + 512 * i, 512, type != VIRTIO_BLK_T_OUT},
		{batch->statuses + i, 1, true}};

	memcpy(ram_at(ram, buffers[0].addr), &header, sizeof header);
	memset(ram_at(ram, buffers[1].addr), 200 + (int)i % 50, 512);
	memset(ram_at(ram, buffers[2].addr), NO_STATUS, 1);
	batch->ids[i] = ring_add(batch->f->ring, buffers, 3);
}

static void add_some(struct batch *batch, uint32_t type, const uint64_t *sectors, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(batch, type, sectors[i], 16);
}

static void add_row(struct batch *batch, uint32_t type, uint64_t sector, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(batch, type, sector + i, 16);
}

/* Returns whether all came back, in their order. */
static bool batch_serve(struct batch *batch)
{
	bool good = true;

	while (virtio_serve(&batch->f->blk.dev, 0))
		;
	for (unsigned i = 0; i < batch->count; i++)
		good &= ring_take(batch->f->ring, &batch->used[i]) &&
			batch->used[i].id == batch->ids[i];
	return good && !ring_pending(batch->f->ring);
}

static uint8_t status_of(const struct batch *batch, unsigned i)
{
	return *(uint8_t *)ram_at(&batch->f->d.ram, batch->statuses + i);
}

/* Returns whether requests from first to end - 1 have this status, and used lengths to match. */
static bool all_are(
	const struct batch *batch, unsigned first, unsigned end, uint8_t status, uint32_t len)
{
	for (unsigned i = first; i < end; i++)
		if (status_of(batch, i) != status || batch->used[i].len != len)
			return false;
	return true;
}

/* Returns whether read i got the content of a sector. */
static bool has_sector(const struct batch *batch, unsigned i, uint64_t sector)
{
	return ram_is(&batch->f->d.ram, batch->data + 512 * i, (uint8_t)(sector + 1), 512);
}

/* --- what is one call ------------------------------------------------------------------------- */

static void test_reads(void)
{
	struct batch batch;
	bool good = true;

	batch_begin(&batch, FLUSH);
	add_row(&batch, VIRTIO_BLK_T_IN, 3, 32);
	ok(batch_serve(&batch), "32 reads of neighbours come back in their order");
	is(batch.f->host.reads, 1, "one host call reads them all");
	is(batch.f->d.host.raises, 1, "one interrupt tells of them");
	ok(all_are(&batch, 0, 32, VIRTIO_BLK_S_OK, 513), "each has its status and used length");
	for (unsigned i = 0; i < 32; i++)
		good &= has_sector(&batch, i, 3 + i);
	ok(good, "each has its own sector");
	teardown(batch.f);
}

static void test_writes(void)
{
	struct batch batch;
	bool good = true;

	batch_begin(&batch, FLUSH);
	add_row(&batch, VIRTIO_BLK_T_OUT, 10, 20);
	ok(batch_serve(&batch), "20 writes of neighbours come back in their order");
	is(batch.f->host.writes, 1, "one host call writes them all");
	ok(all_are(&batch, 0, 20, VIRTIO_BLK_S_OK, 1), "each has its status");
	for (unsigned i = 0; i < 20; i++)
		good &= batch.f->host.disk[(10 + i) * 512] == 200 + i;
	ok(good, "each is at its own sector");
	teardown(batch.f);
}

static void test_others(void)
{
	static const uint64_t sectors[] = {0, 1, 5, 6, 7, 2, 2, 60};
	struct batch batch;
	bool good = true;

	batch_begin(&batch, FLUSH);
	add_some(&batch, VIRTIO_BLK_T_IN, sectors, 8);
	ok(batch_serve(&batch), "reads here and there come back in their order");
	is(batch.f->host.reads, 5, "a host call for each row of neighbours");
	for (unsigned i = 0; i < 8; i++)
		good &= has_sector(&batch, i, sectors[i]) && status_of(&batch, i) == 0;
	ok(good, "each has its own sector");
	teardown(batch.f);

	batch_begin(&batch, FLUSH);
	add_row(&batch, VIRTIO_BLK_T_IN, 0, 2);
	add_row(&batch, VIRTIO_BLK_T_OUT, 2, 2);
	add_row(&batch, VIRTIO_BLK_T_IN, 2, 2);
	ok(batch_serve(&batch), "reads, then writes, then reads come back in their order");
	is(batch.f->host.reads, 2, "a read does not go on where a write ends");
	is(batch.f->host.writes, 1, "nor a write where a read ends");
	ok(ram_is(&batch.f->d.ram, batch.data + 512 * 4, 202, 512),
		"a read sees what was written before it");
	teardown(batch.f);
}

static void test_write_through(void)
{
	struct batch batch;

	batch_begin(&batch, 0);
	add_row(&batch, VIRTIO_BLK_T_OUT, 0, 4);
	ok(batch_serve(&batch), "BLK-DEV-03 (5.2.6.2) write-through: writes come back");
	is(batch.f->host.writes, 4, "BLK-DEV-03 each is written");
	is(batch.f->host.flushes, 4, "BLK-DEV-03 and made stable on its own");
	teardown(batch.f);
}

/* --- what is not transferred as a whole ------------------------------------------------------- */

static void test_errors(void)
{
	static const uint32_t types[] = {VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT};

	for (unsigned t = 0; t < 2; t++) {
		bool write = types[t] == VIRTIO_BLK_T_OUT;
		struct batch batch;

		batch_begin(&batch, FLUSH);
		batch.f->host.fail_after = 3 * 512 + 100;
		add_row(&batch, types[t], 0, 6);
		ok(batch_serve(&batch), "%s of which the fourth fails come back",
			write ? "writes" : "reads");
		ok(all_are(&batch, 0, 3, VIRTIO_BLK_S_OK, write ? 1 : 513),
			"those before it are fine");
		is(status_of(&batch, 3), VIRTIO_BLK_S_IOERR, "it has an error");
		is(batch.used[3].len, write ? 1 : 100, "its used length is what was transferred");
		is(status_of(&batch, 4), VIRTIO_BLK_S_IOERR, "and so has the next one");
		teardown(batch.f);
	}
}

static void test_slow_host(void)
{
	struct batch batch;
	bool good = true;

	batch_begin(&batch, FLUSH);
	batch.f->host.max = 700;
	add_row(&batch, VIRTIO_BLK_T_IN, 0, 10);
	ok(batch_serve(&batch), "a host that reads 700 bytes at a time: reads come back");
	for (unsigned i = 0; i < 10; i++)
		good &= has_sector(&batch, i, i);
	ok(good && all_are(&batch, 0, 10, VIRTIO_BLK_S_OK, 513), "and are whole");
	teardown(batch.f);
}

static void test_mistakes(void)
{
	struct batch batch;

	batch_begin(&batch, FLUSH);
	add_row(&batch, VIRTIO_BLK_T_IN, 0, 2);
	add(&batch, VIRTIO_BLK_T_IN, 2, 15);
	add_row(&batch, VIRTIO_BLK_T_IN, 3, 2);
	ok(batch_serve(&batch), "a request without a whole header among others: all come back");
	ok(all_are(&batch, 0, 2, VIRTIO_BLK_S_OK, 513), "those before it are fine");
	ok(all_are(&batch, 2, 3, NO_STATUS, 0), "it is not answered");
	ok(all_are(&batch, 3, 5, VIRTIO_BLK_S_OK, 513), "those behind it are fine");
	teardown(batch.f);

	batch_begin(&batch, FLUSH);
	add_row(&batch, VIRTIO_BLK_T_IN, FAKE_DISK_SECTORS - 2, 4);
	ok(batch_serve(&batch), "reads beyond the end of the disk come back");
	ok(all_are(&batch, 0, 2, VIRTIO_BLK_S_OK, 513), "those before it are fine");
	is(status_of(&batch, 2), VIRTIO_BLK_S_IOERR, "that at the end has an error");
	is(status_of(&batch, 3), VIRTIO_BLK_S_IOERR, "and the next one");
	teardown(batch.f);
}

/* --- what happens meanwhile ------------------------------------------------------------------- */

static void shrink(void *ctx)
{
	struct fixture *f = ctx;

	f->host.backend.capacity = 2;
	virtio_config_changed(&f->blk.dev);
}

static void test_shrinks(void)
{
	struct batch batch;

	batch_begin(&batch, FLUSH);
	batch.f->host.on_transfer = shrink;
	batch.f->host.ctx = batch.f;
	add_row(&batch, VIRTIO_BLK_T_IN, 0, 4);
	ok(batch_serve(&batch), "a disk that shrinks while it is read: reads come back");
	ok(all_are(&batch, 0, 2, VIRTIO_BLK_S_OK, 513), "those that are on it are fine");
	is(status_of(&batch, 3), VIRTIO_BLK_S_IOERR, "those that are not have an error");
	teardown(batch.f);
}

/* Counts calls, on a disk that is larger than the fake one. */
static ssize_t read_anything(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	ssize_t len = 0;

	(void)offset;
	for (unsigned i = 0; i < count; i++)
		len += (ssize_t)iov[i].iov_len;
	((struct fake_block *)backend)->reads++;
	return len;
}

static void test_bounds(void)
{
	static const struct block_backend_ops ops = {.read = read_anything};
	struct batch batch;

	batch_begin(&batch, FLUSH);
	batch.f->host.backend.ops = &ops;
	batch.f->host.backend.capacity = 1000;
	virtio_config_changed(&batch.f->blk.dev);
	add_row(&batch, VIRTIO_BLK_T_IN, 100, COUNT_MAX);
	ok(batch_serve(&batch), "more requests than a host call has room for come back");
	ok(all_are(&batch, 0, COUNT_MAX, VIRTIO_BLK_S_OK, 513), "and are fine");
	is(batch.f->host.reads, 2, "by two host calls");
	teardown(batch.f);
}

/* Records count calls, and a view makes one of each request (vmm/replay/outside_source.c). */
static void test_one_by_one(void)
{
	struct batch batch;

	batch_begin(&batch, FLUSH);
	batch.f->host.backend.one_by_one = true;
	add_row(&batch, VIRTIO_BLK_T_IN, 3, 32);
	ok(batch_serve(&batch), "a backend that wants requests one by one: all come back");
	is(batch.f->host.reads, 32, "each is a host call of its own");
	teardown(batch.f);
}

static void test_all(void)
{
	test_reads();
	test_one_by_one();
	test_writes();
	test_others();
	test_write_through();
	test_errors();
	test_slow_host();
	test_mistakes();
	test_shrinks();
	test_bounds();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
