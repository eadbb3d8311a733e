/* SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include <linux/aio_abi.h>
#include <linux/fs.h>

#define DEPTH 16
#define BLOCK 4096u

struct disk {
	const char *name;
	char path[64];
	int fd;
	uint64_t size;
	uint32_t bytes; /* that are touched, from the start: a power of two */
	bool read_only;
};

/* --- what a disk holds ------------------------------------------------------------------------ */

/* The word at a byte offset after a pass: easy for the host to compute as well. */
static void fill(uint32_t offset, uint32_t bytes, uint32_t pass)
{
	uint32_t *words = (uint32_t *)expected;

	for (uint32_t i = 0; i < bytes / 4; i++)
		words[i] = (offset + i * 4 + pass) * 2654435761u;
}

/* Read [0, bytes) in requests of this size. How many differ from the pass. */
static unsigned verify(const struct disk *disk, uint32_t bytes, uint32_t size, uint32_t pass)
{
	unsigned bad = 0;

	for (uint32_t at = 0; at < bytes; at += size) {
		uint32_t n = size < bytes - at ? size : bytes - at;

		fill(at, n, pass);
		bad += sys_pread(disk->fd, buffer, n, at) != (long)n || !same(buffer, expected, n);
	}
	return bad;
}

/* How many writes failed; their sizes take turns. */
static unsigned write_pass(const struct disk *disk, uint32_t pass)
{
	static const uint32_t sizes[] = {512, 4096, 65536, CHUNK};
	unsigned bad = 0;

	for (uint32_t at = 0, i = 0, n; at < disk->bytes; at += n, i++) {
		n = sizes[i % 4] < disk->bytes - at ? sizes[i % 4] : disk->bytes - at;
		fill(at, n, pass);
		bad += sys_pwrite(disk->fd, expected, n, at) != (long)n;
	}
	return bad;
}

static bool flush(const struct disk *disk)
{
	return SYS3(__NR_fsync, disk->fd, 0, 0) == 0;
}

/* --- requests in flight ----------------------------------------------------------------------- */

/* Send DEPTH requests of one block each, scattered, none twice. How many were sent. */
static long send(const struct disk *disk, aio_context_t context, unsigned opcode, uint8_t *data)
{
	static struct iocb control[DEPTH];
	struct iocb *list[DEPTH];

	for (unsigned i = 0; i < DEPTH; i++) {
		/* 5 is prime to the number of blocks, a power of two. */
		control[i] = (struct iocb){
			.aio_lio_opcode = (uint16_t)opcode,
			.aio_fildes = (uint32_t)disk->fd,
			.aio_buf = (uintptr_t)(data + i * BLOCK),
			.aio_nbytes = BLOCK,
			.aio_offset = i * 5 % (disk->bytes / BLOCK) * BLOCK,
		};
		list[i] = &control[i];
	}
	return SYS3(__NR_io_submit, context, DEPTH, list);
}

/* Wait for so many. How many of them moved their block. */
static unsigned collect(aio_context_t context, long sent)
{
	struct io_event event[DEPTH];
	unsigned good = 0;
	long got = SYS5(__NR_io_getevents, context, sent, sent, event, NULL);

	for (long i = 0; i < got; i++)
		good += event[i].res == BLOCK;
	return got == sent ? good : 0;
}

static void in_parallel(const struct disk *disk, uint32_t pass)
{
	aio_context_t context = 0;
	unsigned good = 0;
	bool equal = true;

	if (SYS3(__NR_io_setup, DEPTH, &context, 0) == 0 &&
		send(disk, context, IOCB_CMD_PREAD, buffer) == DEPTH)
		good = collect(context, DEPTH);
	for (unsigned i = 0; i < DEPTH; i++) {
		fill(i * 5 % (disk->bytes / BLOCK) * BLOCK, BLOCK, pass);
		equal &= same(buffer + i * BLOCK, expected, BLOCK);
	}
	SYS3(__NR_io_destroy, context, 0, 0);
	ok(good == DEPTH && equal, "%s: %u reads in flight, %u good", disk->name, DEPTH, good);
}

/* --- the tests -------------------------------------------------------------------------------- */

static bool disk_open(struct disk *disk, int flags)
{
	char path[LINE];

	format(disk->path, sizeof disk->path, "/dev/%s", disk->name);
	format(path, sizeof path, "/sys/block/%s/ro", disk->name);
	disk->read_only = line_of(path)[0] == '1';
	disk->fd = sys_open(disk->path, disk->read_only ? flags : O_RDWR | flags);
	return disk->fd >= 0;
}

static void describe(struct disk *disk)
{
	char path[LINE];

	disk->size = 0;
	sys_ioctl(disk->fd, BLKGETSIZE64, &disk->size);
	disk->bytes = numeric_setting("disk_bytes", 1u << 20);
	while (disk->bytes > disk->size || disk->bytes & (disk->bytes - 1))
		disk->bytes = disk->bytes > disk->size ? disk->bytes / 2
						       : disk->bytes & (disk->bytes - 1);
	ok(disk->size >= 512 && disk->size % 512 == 0, "%s: %u sectors%s", disk->name,
		(uint32_t)(disk->size >> 9), disk->read_only ? ", read-only" : "");
	format(path, sizeof path, "/sys/block/%s/serial", disk->name);
	say("# %s serial '%s'\n", disk->name, line_of(path));
	format(path, sizeof path, "/sys/block/%s/cache_type", disk->name);
	say("# %s cache '%s'\n", disk->name, line_of(path));
}

static void ends(const struct disk *disk)
{
	ok(sys_pread(disk->fd, buffer, 512, disk->size - 512) == 512, "%s: last sector",
		disk->name);
	ok(sys_pread(disk->fd, buffer, 512, disk->size) == 0, "%s: nothing after it", disk->name);
}

static void direct(const struct disk *disk)
{
	uint32_t some = disk->bytes / 2 < 32768 ? disk->bytes / 2 : 32768;
	unsigned bad = write_pass(disk, 1);

	ok(!bad, "%s: writes of 512 bytes to 256 KiB, %u failed", disk->name, bad);
	ok(flush(disk), "%s: flush", disk->name);
	bad = verify(disk, disk->bytes, 65536, 1);
	ok(!bad, "%s: reads back the same, %u differ", disk->name, bad);
	bad = verify(disk, some, 512, 1);
	ok(!bad, "%s: and sector by sector, %u differ", disk->name, bad);
	in_parallel(disk, 1);
}

/* Through the page cache, whose requests have many segments. */
static void cached(const struct disk *disk)
{
	struct disk through = *disk;
	unsigned bad;

	through.fd = sys_open(disk->path, O_RDWR);
	bad = write_pass(&through, 2);
	ok(!bad && flush(&through), "%s: writes through the cache, then flush", disk->name);
	sys_ioctl(through.fd, BLKFLSBUF, NULL);
	bad = verify(&through, disk->bytes, CHUNK, 2);
	ok(!bad, "%s: reads back the same through the cache, %u differ", disk->name, bad);
	sys_close(through.fd);
}

/* Writes are in flight when the device is taken from the driver: each is done or fails, none stays
 * behind, and afterwards the disk works. The final pass is for the host to verify. */
static void rebind(struct disk *disk)
{
	char path[LINE];
	aio_context_t context = 0;
	long sent = 0, error;
	unsigned good, bad;
	int number;

	format(path, sizeof path, "block/%s", disk->name);
	number = driver_device("virtio_blk", path);
	memset(buffer, 0, DEPTH * BLOCK);
	if (SYS3(__NR_io_setup, DEPTH, &context, 0) == 0)
		sent = send(disk, context, IOCB_CMD_PWRITE, buffer);
	error = driver_unbind("virtio_blk", number);
	ok(error == 0 && sent == DEPTH, "%s: unbound with %d writes in flight, error %d",
		disk->name, (int)sent, (int)-error);
	good = collect(context, sent);
	SYS3(__NR_io_destroy, context, 0, 0);
	say("# %s: %u of the writes were done\n", disk->name, good);
	ok(sys_pread(disk->fd, buffer, BLOCK, 0) <= 0, "%s: is gone", disk->name);
	sys_close(disk->fd);
	error = driver_bind("virtio_blk", number);
	ok(error == 0 && disk_open(disk, O_DIRECT), "%s: bound again, error %d", disk->name,
		(int)-error);
	bad = write_pass(disk, 3);
	ok(!bad && flush(disk), "%s: writes again, %u failed", disk->name, bad);
	bad = verify(disk, disk->bytes, 65536, 3);
	ok(!bad, "%s: reads back the same again, %u differ", disk->name, bad);
}

void test_disk(const char *name)
{
	struct disk disk = {.name = name};

	if (!disk_open(&disk, O_DIRECT)) {
		absent(name);
		return;
	}
	describe(&disk);
	ends(&disk);
	if (disk.read_only) {
		ok(sys_open(disk.path, O_RDWR) < 0 || sys_pwrite(disk.fd, buffer, 512, 0) < 0,
			"%s: refuses to be written", name);
	} else {
		direct(&disk);
		cached(&disk);
		rebind(&disk);
	}
	sys_close(disk.fd);
}
