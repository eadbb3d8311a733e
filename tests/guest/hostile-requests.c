/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that lies in what it asks of a disk: ranges of sectors that are not there, too many of
 * them or a part of one, flags that nobody knows, requests without a writable byte for the status,
 * and the cache switched to and fro under way. The disk has 4096 sectors whose words count up, and
 * not one word may change: the host compares. On split rings and direct, on packed ones and
 * indirect. Then hostile.h has its proof. Prints the number of attacks. Exit status 0.
 */

#include <vole/virtio_blk.h>

#include "hostile.h"
#include "memory.h"

#define CAPACITY UINT64_C(4096)
#define SECTOR   VIRTIO_BLK_SECTOR_SIZE
#define WORDS    (SECTOR / 4)
#define RANGE    ((int)sizeof(struct virtio_blk_discard_write_zeroes))
#define UNMAP    VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP

/* What vole takes in one request; and where a range is that is as it should be. */
#define DISCARD_MAX        16
#define ZEROES_MAX         8
#define ZEROES_SECTORS_MAX 2048
#define GOOD_SECTOR        8

#define NO_ANSWER 0xa5 /* what is in memory that the device may write, and does not */

static struct mmio *const dev = &disk.dev;
static struct virtq *const vq = &disk.queues[0];

/* A request's buffers: a header of header_len bytes, data_len bytes that the device reads,
 * writable_len bytes that it writes, and a status byte of its own if has_status. Otherwise the
 * status is the last writable byte. */
struct request {
	uint32_t type;
	uint64_t sector;
	uint32_t header_len, data_len, writable_len;
	bool has_status;
};

static struct virtio_blk_discard_write_zeroes ranges[DISCARD_MAX + 2];
static uint8_t writable[2 * SECTOR], status;
static const void *data; /* of the next request */

/* Returns how many of the writable bytes are not the status. */
static uint32_t plain_len(const struct request *request)
{
	return request->has_status || !request->writable_len ? request->writable_len
							     : request->writable_len - 1;
}

static bool is_written(const struct request *request, uint32_t from)
{
	for (; from < plain_len(request); from++)
		if (writable[from] != NO_ANSWER)
			return true;
	return false;
}

/* Send it, and wait. Its status, and the bytes written as the device says. */
static uint8_t execute(const struct request *request, uint32_t *written)
{
	struct virtio_blk_req header = {
		.type = cpu_to_le32(request->type),
		.sector = cpu_to_le64(request->sector),
	};
	/* Those of no length are counted, and skipped (HARD-11). */
	struct virtq_buffer buffers[] = {
		{&header, request->header_len},
		{(void *)data, request->data_len},
		{writable, request->writable_len},
		{&status, request->has_status},
	};

	memset(writable, NO_ANSWER, sizeof(writable));
	status = NO_ANSWER;
	check(virtq_exchange(vq, buffers, 2, 2, written) == 0, "the device answers");
	return plain_len(request) == request->writable_len ? status
							   : writable[request->writable_len - 1];
}

/* It gets this status, and nothing else is written. */
static void check_status(const struct request *request, uint8_t expected, const char *name)
{
	bool alone = request->writable_len + request->has_status == 1;
	uint32_t written;
	uint8_t got = execute(request, &written);

	check(got == expected, "type %u \"%s\": status %u, not %u", request->type, name, got,
		expected);
	check(written == (alone && expected != NO_ANSWER), "BLK-DEV-26 type %u \"%s\": length %u",
		request->type, name, written);
	check(!is_written(request, 0), "type %u \"%s\": only a status is written", request->type,
		name);
}

/* The device goes on, its disk is as it was where that is least likely, and nobody was harmed. */
static void check_end(uint64_t declined, const char *name)
{
	static uint32_t words[WORDS];

	check(block_read(&disk, GOOD_SECTOR, words, 1) == 0 && !has_failed(dev),
		"\"%s\": the device goes on", name);
	check(words[0] == GOOD_SECTOR * WORDS && words[WORDS - 1] == words[0] + WORDS - 1,
		"\"%s\": the disk is as it was", name);
	check_aftermath(&targets[BLOCK], declined, name);
}

/* --- ranges of sectors ------------------------------------------------------------------------ */

#define OK     VIRTIO_BLK_S_OK
#define IOERR  VIRTIO_BLK_S_IOERR
#define UNSUPP VIRTIO_BLK_S_UNSUPP

/* Types of requests, as bits. */
#define DISCARD 1
#define ZEROES  2
#define BOTH    (DISCARD | ZEROES)

static const struct {
	const char *name;
	unsigned types;
	uint8_t status;
	uint64_t sector;
	uint32_t sectors, flags;
	unsigned before; /* how many good ranges precede it */
	int more;        /* bytes; or less */
} range_attacks[] = {
	{"BLK-DEV-10 no range", BOTH, IOERR, GOOD_SECTOR, 1, 0, 0, -RANGE},
	{"BLK-DEV-10 a byte", BOTH, IOERR, GOOD_SECTOR, 1, 0, 0, 1 - RANGE},
	{"BLK-DEV-10 half a range", BOTH, IOERR, GOOD_SECTOR, 1, 0, 0, -RANGE / 2},
	{"BLK-DEV-10 a byte less", BOTH, IOERR, GOOD_SECTOR, 1, 0, 1, -1},
	{"BLK-DEV-10 a byte more", BOTH, IOERR, GOOD_SECTOR, 1, 0, 0, 1},
	{"HARD-17 a range too many", DISCARD, IOERR, GOOD_SECTOR, 1, 0, DISCARD_MAX, 0},
	{"HARD-17 a range too many", ZEROES, IOERR, GOOD_SECTOR, 1, 0, ZEROES_MAX, 0},
	{"BLK-DEV-10 behind the end", BOTH, IOERR, CAPACITY, 1, 0, 0, 0},
	{"BLK-DEV-10 over the end", BOTH, IOERR, CAPACITY - 1, 2, 0, 0, 0},
	{"BLK-DEV-10 too many sectors", ZEROES, IOERR, 0, ZEROES_SECTORS_MAX + 1, 0, 0, 0},
	{"BLK-DEV-10 far too many sectors", BOTH, IOERR, 0, UINT32_MAX, 0, 0, 0},
	{"HARD-16 the sector wraps", BOTH, IOERR, UINT64_MAX, 1, 0, 0, 0},
	{"HARD-16 sector and count wrap", BOTH, IOERR, UINT64_MAX - 7, 16, 0, 0, 0},
	{"HARD-16 the byte wraps", BOTH, IOERR, (UINT64_C(1) << 55) + GOOD_SECTOR, 1, 0, 0, 0},
	{"BLK-DEV-10 a good one, one behind the end", BOTH, IOERR, CAPACITY, 1, 0, 1, 0},
	{"BLK-DEV-10 good ones, one over the end", BOTH, IOERR, CAPACITY - 1, 2, 0, ZEROES_MAX - 1,
		0},
	{"BLK-DEV-07 a flag", BOTH, UNSUPP, GOOD_SECTOR, 1, 2, 0, 0},
	{"BLK-DEV-07 the last flag", BOTH, UNSUPP, GOOD_SECTOR, 1, 1u << 31, 0, 0},
	{"BLK-DEV-07 all flags", BOTH, UNSUPP, GOOD_SECTOR, 1, UINT32_MAX, 0, 0},
	{"BLK-DEV-07 a good one, one with a flag", BOTH, UNSUPP, GOOD_SECTOR, 1, 4, 1, 0},
	{"BLK-DEV-07 a flag behind the end", BOTH, UNSUPP, UINT64_MAX, UINT32_MAX, 2, 0, 0},
	{"BLK-DEV-08 unmap", DISCARD, UNSUPP, GOOD_SECTOR, 1, UNMAP, 0, 0},
	{"BLK-DEV-08 a good one, one with unmap", DISCARD, UNSUPP, GOOD_SECTOR, 1, UNMAP, 1, 0},
	{"HARD-16 unmap over the end", ZEROES, IOERR, CAPACITY - 1, 2, UNMAP, 1, 0},
	{"no sectors", BOTH, OK, GOOD_SECTOR, 0, 0, 0, 0},
	{"no sectors, at the end", BOTH, OK, CAPACITY, 0, 0, 0, 0},
	{"HARD-16 no sectors, behind the end", BOTH, IOERR, CAPACITY + 1, 0, 0, 0, 0},
};

#define RANGE_ATTACKS (sizeof(range_attacks) / sizeof(range_attacks[0]))

static void set_range(unsigned i, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	ranges[i] = (struct virtio_blk_discard_write_zeroes){
		cpu_to_le64(sector), cpu_to_le32(sectors), cpu_to_le32(flags)};
}

static void attack_ranges(unsigned i, unsigned type, uint64_t declined)
{
	unsigned before = range_attacks[i].before;
	struct request request = {
		.type = type == DISCARD ? VIRTIO_BLK_T_DISCARD : VIRTIO_BLK_T_WRITE_ZEROES,
		.header_len = sizeof(struct virtio_blk_req),
		.data_len = (uint32_t)((int)(before + 1) * RANGE + range_attacks[i].more),
		.has_status = true,
	};

	for (unsigned n = 0; n < DISCARD_MAX + 2; n++)
		set_range(n, GOOD_SECTOR, 1, 0);
	set_range(
		before, range_attacks[i].sector, range_attacks[i].sectors, range_attacks[i].flags);
	data = ranges;
	check_status(&request, range_attacks[i].status, range_attacks[i].name);
	check_end(declined, range_attacks[i].name);
}

/* --- any request ------------------------------------------------------------------------------ */

#define T(name)     VIRTIO_BLK_T_##name
#define F(name)     FEATURE(VIRTIO_BLK_F_##name)
#define ALL_OF_RAM  UINT32_MAX
#define HEADER      sizeof(struct virtio_blk_req)
#define CHANGES_ALL 0x5a /* in data that is to be written */

/* The data are ranges that are as they should be, or else what would be seen on the disk. */
static const struct {
	const char *name;
	struct request request;
	uint8_t status;
	uint64_t declined;
} request_attacks[] = {
	{"BLK-DEV-11 discard was not agreed on", {T(DISCARD), 0, HEADER, 16, 0, true}, UNSUPP,
		F(DISCARD)},
	{"BLK-DEV-11 write zeroes was not agreed on", {T(WRITE_ZEROES), 0, HEADER, 16, 0, true},
		UNSUPP, F(WRITE_ZEROES)},
	{"BLK-DEV-11 flush was not agreed on", {T(FLUSH), 0, HEADER, 0, 0, true}, UNSUPP, F(FLUSH)},
	{"HARD-17 ranges in millions", {T(DISCARD), 0, HEADER, ALL_OF_RAM, 0, true}, IOERR, 0},
	{"HARD-17 ranges in millions", {T(WRITE_ZEROES), 0, HEADER, ALL_OF_RAM, 0, true}, IOERR, 0},
	{"HARD-10 ranges to be written", {T(DISCARD), 0, HEADER, 0, 16, true}, IOERR, 0},
	{"HARD-10 ranges to be written", {T(WRITE_ZEROES), 0, HEADER, 0, 16, true}, IOERR, 0},
	{"BLK-DEV-05 no sectors are told, and much room", {T(DISCARD), 0, HEADER, 0, 512, false},
		IOERR, 0},
	{"BLK-DEV-18 ranges, no status", {T(DISCARD), 0, HEADER, 16, 0, false}, NO_ANSWER, 0},
	{"BLK-DEV-18 ranges, no status", {T(WRITE_ZEROES), 0, HEADER, 16, 0, false}, NO_ANSWER, 0},
	{"BLK-DEV-18 a write, no status", {T(OUT), GOOD_SECTOR, HEADER, 512, 0, false}, NO_ANSWER,
		0},
	{"BLK-DEV-18 a flush, no status", {T(FLUSH), 0, HEADER, 0, 0, false}, NO_ANSWER, 0},
	{"BLK-DEV-18 nothing at all", {T(FLUSH), 0, 0, 0, 0, false}, NO_ANSWER, 0},
	{"BLK-DEV-18 a part of a header", {T(DISCARD), 0, 15, 0, 0, true}, NO_ANSWER, 0},
	{"HARD-13 half a header, then ranges", {T(DISCARD), 0, 8, 16, 0, true}, IOERR, 0},
	{"HARD-13 half a header, then ranges", {T(WRITE_ZEROES), 0, 8, 32, 0, true}, IOERR, 0},
	{"BLK-DEV-06 a write over the end", {T(OUT), CAPACITY - 1, HEADER, 1024, 0, true}, IOERR,
		0},
	{"HARD-16 a write that wraps", {T(OUT), UINT64_MAX, HEADER, 1024, 0, true}, IOERR, 0},
	{"HARD-16 a write whose byte wraps",
		{T(OUT), (UINT64_C(1) << 55) + GOOD_SECTOR, HEADER, 512, 0, true}, IOERR, 0},
	{"BLK-DEV-17 a write of a sector less one", {T(OUT), GOOD_SECTOR, HEADER, 511, 0, true},
		IOERR, 0},
	{"BLK-DEV-17 a write of a sector and one", {T(OUT), GOOD_SECTOR, HEADER, 513, 0, true},
		IOERR, 0},
	{"HARD-10 a write to be written", {T(OUT), GOOD_SECTOR, HEADER, 0, 512, true}, IOERR, 0},
	{"BLK-DEV-06 a read over the end", {T(IN), CAPACITY - 1, HEADER, 0, 1024, true}, IOERR, 0},
	{"HARD-16 a read that wraps", {T(IN), UINT64_MAX, HEADER, 0, 1024, true}, IOERR, 0},
	{"BLK-DEV-17 a read of a sector less one", {T(IN), GOOD_SECTOR, HEADER, 0, 512, false},
		IOERR, 0},
	{"a flush with data", {T(FLUSH), UINT64_MAX, HEADER, 1, 0, true}, OK, 0},
	{"a flush with much data", {T(FLUSH), 0, HEADER, 511, 0, true}, OK, 0},
	{"BLK-DEV-05 a flush with room", {T(FLUSH), 0, HEADER, 0, 3, false}, OK, 0},
	{"BLK-DEV-05 a flush with data and room", {T(FLUSH), 0, HEADER, ALL_OF_RAM, 513, true}, OK,
		0},
};

#define REQUEST_ATTACKS (sizeof(request_attacks) / sizeof(request_attacks[0]))

/* Data for a request of this type that could not be mistaken for what is on the disk. */
static void set_data(uint32_t type, struct request *request)
{
	static uint8_t bytes[2 * SECTOR];

	if (request->data_len == ALL_OF_RAM) {
		data = (const void *)PAGE_SIZE;
		request->data_len = (64u << 20) - PAGE_SIZE;
		return;
	}
	memset(bytes, CHANGES_ALL, sizeof(bytes));
	for (unsigned n = 0; n < DISCARD_MAX + 2; n++)
		set_range(n, GOOD_SECTOR, 1, 0);
	data = type == T(OUT) ? (const void *)bytes : ranges;
}

static void attack_request(unsigned i, uint64_t declined)
{
	struct request request = request_attacks[i].request;

	if (request_attacks[i].declined) {
		dev->declined = declined | request_attacks[i].declined;
		check(block_init(&disk, targets[BLOCK].entry) == 0, "the disk does without");
	}
	set_data(request.type, &request);
	check_status(&request, request_attacks[i].status, request_attacks[i].name);
	check_end(declined, request_attacks[i].name);
}

/* Zoned ones among them (BLK-DEV-12), and those of features that are not offered. */
static void attack_types(uint64_t declined)
{
	static const uint32_t types[] = {2, 3, 5, 9, T(GET_LIFETIME), 12, T(SECURE_ERASE), 15, 16,
		18, 20, 22, 24, 26, 0x80000000, 0x80000001, UINT32_MAX};

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct request request = {types[i], GOOD_SECTOR, HEADER, 16, 32, true};

		set_data(types[i], &request);
		check_status(&request, UNSUPP, "BLK-DEV-11 BLK-DEV-12 nobody knows it");
	}
	check_end(declined, "types that nobody knows");
}

/* Of an id that is shorter than its 20 bytes the rest is NULs. */
static void attack_id(uint64_t declined)
{
	static const uint32_t rooms[] = {0, 1, 19, 20, 21, 511, 1024};
	static const char id[VIRTIO_BLK_ID_BYTES] = "hostile";

	for (unsigned i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		struct request request = {T(GET_ID), UINT64_MAX, HEADER, 7, rooms[i], true};
		uint32_t len = rooms[i] < sizeof(id) ? rooms[i] : sizeof(id), written;

		set_data(request.type, &request);
		check(execute(&request, &written) == OK, "an id of %u bytes", rooms[i]);
		check(memcmp(writable, id, len) == 0 && !is_written(&request, len),
			"BLK-DEV-15 an id of %u bytes is written, and no more", rooms[i]);
		check(written == len + (len == rooms[i]), "BLK-DEV-26 an id of %u bytes: length %u",
			rooms[i], written);
	}
	check_end(declined, "ids of odd lengths");
}

/* --- the cache -------------------------------------------------------------------------------- */

#define WRITEBACK offsetof(struct virtio_blk_config, writeback)
#define FIRST     (WRITEBACK - 4) /* what a write could touch instead */
#define BEHIND    (WRITEBACK + 4)

/* Writes of what is there already, and flushes: each of the two modes has them. */
static struct block_request requests[12];

static void begin_requests(void)
{
	static uint32_t words[WORDS];

	for (unsigned i = 0; i < WORDS; i++)
		words[i] = GOOD_SECTOR * WORDS + i;
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (i % 4 == 3)
			check(block_submit(&disk, &requests[i], T(FLUSH), 0, NULL, 0) == 0,
				"a flush fits");
		else
			check(block_submit(
				      &disk, &requests[i], T(OUT), GOOD_SECTOR, words, SECTOR) == 0,
				"a write fits");
	block_kick(&disk);
}

static void end_requests(void)
{
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		check(block_wait(&requests[i]) == 0, "request %u is done in some mode", i);
}

/* Every width at every place: just one byte at the one place is obeyed, if it is 0 or 1. */
static void switch_cache(unsigned width, bool obeys)
{
	static const uint32_t values[] = {0, 2, 1, 0xff, 0x01010101, 0x00000001, 0};

	for (unsigned at = FIRST; at < BEHIND; at++) {
		for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			uint8_t before = mmio_config8(dev, WRITEBACK);
			uint8_t byte = (uint8_t)values[i];
			bool obeyed = obeys && width == 1 && at == WRITEBACK && byte <= 1;

			write_in(width, dev->base + VIRTIO_MMIO_CONFIG + at, values[i]);
			check(mmio_config8(dev, WRITEBACK) == (obeyed ? byte : before),
				"BLK-DEV-19 %u bytes at %u: 0x%x", width, at, values[i]);
		}
	}
}

/* Where CONFIG_WCE was not agreed on, nothing is obeyed. */
static void attack_cache(bool agreed, uint64_t declined)
{
	uint32_t min_io = mmio_config32(dev, FIRST), queues = mmio_config16(dev, WRITEBACK + 2);

	dev->declined = declined | (agreed ? 0 : F(CONFIG_WCE));
	check(block_init(&disk, targets[BLOCK].entry) == 0, "the disk is there");
	for (unsigned width = 1; width <= 4; width *= 2) {
		begin_requests();
		switch_cache(width, agreed);
		end_requests();
	}
	check(mmio_config32(dev, FIRST) == min_io && mmio_config16(dev, WRITEBACK + 2) == queues,
		"BLK-DEV-19 the neighbours stay");
	check_end(declined, "HARD-25 the cache's mode");
}

int main(const struct start_info *info)
{
	for (unsigned form = 0; form < FORMS; form++) {
		uint64_t declined = forms[form];

		start_targets(info, declined);
		check(disk.capacity == CAPACITY && disk.zero.sectors == ZEROES_SECTORS_MAX &&
				disk.discard.segments == DISCARD_MAX &&
				disk.zero.segments == ZEROES_MAX,
			"the disk is as it is known here");
		for (unsigned i = 0; i < RANGE_ATTACKS; i++)
			for (unsigned type = DISCARD; type <= ZEROES; type++)
				if (range_attacks[i].types & type)
					attack_ranges(i, type, declined);
		for (unsigned i = 0; i < REQUEST_ATTACKS; i++)
			attack_request(i, declined);
		attack_types(declined);
		attack_id(declined);
		attack_cache(true, declined);
		attack_cache(false, declined);
	}
	return attacks_done();
}
