/* SPDX-License-Identifier: BSD-2-Clause */
/* The disk, and what its file must hold: a request is applied to the model when it has come back,
 * which is before the file can change again. */
#include "io.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR      512
#define SECTORS_MAX 24
#define FAULTY_MIN  192 /* the value of an input's byte from which on the host's faults are on */
#define HEADER      0   /* offsets in a slot */
#define STATUS      16
#define DATA        32
#define SLOT_SIZE   (DATA + SECTORS_MAX * SECTOR)

void io_disk_open(struct io_world *world)
{
	struct io_disk *disk = &world->disk;
	char path[32];
	struct disk_options options = {.path = path, .is_raw = true};

	disk->file = memfd_create("disk", MFD_CLOEXEC);
	assert(disk->file >= 0);
	disk->capacity = 64;
	disk->size = disk->capacity * SECTOR;
	memset(disk->model, 0, sizeof disk->model);
	for (uint64_t i = 0; i < disk->size; i++)
		disk->model[i] = (uint8_t)(i / SECTOR + 1);
	assert(write(disk->file, disk->model, disk->size) == (ssize_t)disk->size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", disk->file);
	assert(disk_open(&disk->disk, &options, 0) == 0);
	disk->disk.path = "disk";
	io_guest_begin(&disk->guest);
	virtio_block_init(&disk->block, &disk->disk.backend, 1, &disk->guest.driver.ram.gmem,
		&driver_host_ops, &disk->guest.driver.host);
	io_guest_attach(world, &disk->guest, &disk->block.dev);
	assert(driver_bring_up(
		&disk->guest.driver, driver_offered(&disk->guest.driver) & DRIVER_TYPE_FEATURES));
	io_lane_init(&disk->lane, &disk->guest, 0, SLOT_SIZE);
}

static bool is_range(const struct io_request *request)
{
	return request->type == VIRTIO_BLK_T_DISCARD || request->type == VIRTIO_BLK_T_WRITE_ZEROES;
}

/* The bytes after the header: of the request's type. Returns their number. */
static uint32_t put_data(const struct io_request *request, uint8_t *data)
{
	struct virtio_blk_discard_write_zeroes range = {cpu_to_le64(request->sector),
		cpu_to_le32(request->sectors), cpu_to_le32(request->unmap)};

	if (is_range(request)) {
		memcpy(data, &range, sizeof range);
		return sizeof range;
	}
	memset(data, request->fill, request->sectors * SECTOR);
	return request->type == VIRTIO_BLK_T_FLUSH ? 0 : request->sectors * SECTOR;
}

/* Queues are of 16 descriptors, and a request may need three. */
static bool has_room(const struct io_disk *disk)
{
	return disk->lane.offered - disk->lane.used < IO_SLOTS / 3;
}

static void offer(struct io_disk *disk, const struct io_request *request)
{
	struct io_lane *lane = &disk->lane;
	uint8_t *bytes = io_lane_bytes(lane, lane->offered);
	gpa_t at = lane->slots + lane->offered % IO_SLOTS * lane->slot_size;
	struct virtio_blk_req header = {cpu_to_le32(request->type), cpu_to_le32(0),
		cpu_to_le64(is_range(request) ? 0 : request->sector)};
	struct buffer buffers[3];
	unsigned count = 0;

	memcpy(bytes + HEADER, &header, sizeof header);
	bytes[STATUS] = 0xff;
	buffers[count++] = (struct buffer){at + HEADER, sizeof header, false};
	buffers[count] = (struct buffer){
		at + DATA, put_data(request, bytes + DATA), request->type == VIRTIO_BLK_T_IN};
	count += buffers[count].len > 0;
	buffers[count++] = (struct buffer){at + STATUS, 1, true};
	io_lane_offer(lane, buffers, count);
}

void io_disk_request(struct io_world *world)
{
	static const uint32_t types[] = {VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
		VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_DISCARD};
	struct io_disk *disk = &world->disk;
	unsigned how = take(&world->in, 1);
	struct io_request *request;
	unsigned sectors;

	if (!has_room(disk))
		return;
	request = &disk->requests[disk->lane.offered % IO_SLOTS];
	*request = (struct io_request){
		.type = types[how % 5],
		.sector = take(&world->in, 1) % 140,
		.fill = (uint8_t)(how | 0x80),
	};
	sectors = take(&world->in, 1);
	request->sectors = 1 + sectors % SECTORS_MAX;
	request->unmap = request->type == VIRTIO_BLK_T_WRITE_ZEROES && how & 0x40;
	if (sectors < FAULTY_MIN) {
		offer(disk, request);
		return;
	}
	io_rest(world);
	disk->is_faulty = true;
	io_fault_begin(disk->file, take(&world->in, 4));
	offer(disk, request);
	io_rest(world);
	assert(!disk->is_faulty);
}

/* Another process changes the size of the file. */
void io_disk_resize(struct io_world *world)
{
	struct io_disk *disk = &world->disk;
	uint64_t size = take(&world->in, 1) % 129 * SECTOR;

	if (take(&world->in, 1) % 8 == 7 && size >= SECTOR)
		size -= 100; /* no multiple of a block */
	assert(ftruncate(disk->file, (off_t)size) == 0);
	if (size < disk->size)
		memset(disk->model + size, 0, disk->size - size);
	disk->size = size;
}

void io_disk_look(struct io_world *world)
{
	struct io_disk *disk = &world->disk;
	bool is_disk = disk->size > 0 && disk->size % SECTOR == 0;

	if (disk_refresh_size(&disk->disk) > 0)
		virtio_config_changed(&disk->block.dev);
	if (is_disk)
		disk->capacity = disk->size / SECTOR;
	assert(disk->disk.backend.capacity == disk->capacity);
}

static void model_write(struct io_disk *disk, uint64_t begin, uint64_t end, uint8_t fill)
{
	memset(disk->model + begin, fill, end - begin);
	if (end > disk->size)
		disk->size = end;
}

/* Zeroes a range without changing the size of the file. */
static void model_punch(struct io_disk *disk, uint64_t begin, uint64_t end)
{
	if (end > disk->size)
		end = disk->size;
	if (begin < end)
		memset(disk->model + begin, 0, end - begin);
}

/* Applies a request. Returns the status that it must have. */
static uint8_t model_serve(struct io_disk *disk, const struct io_request *request)
{
	uint64_t begin = request->sector * SECTOR, end = begin + request->sectors * SECTOR;

	if (request->type == VIRTIO_BLK_T_FLUSH)
		return disk->flush_failed ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	if (end > disk->capacity * SECTOR)
		return VIRTIO_BLK_S_IOERR;
	if (request->type == VIRTIO_BLK_T_IN)
		return end > disk->size ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	if (request->type == VIRTIO_BLK_T_OUT)
		model_write(disk, begin, end, request->fill);
	else if (request->type == VIRTIO_BLK_T_DISCARD || request->unmap)
		model_punch(disk, begin, end);
	else
		model_write(disk, begin, end, 0);
	return VIRTIO_BLK_S_OK;
}

/* Takes over what the file has in the range of a request, of which it may hold a part. */
static void model_reload(struct io_disk *disk, const struct io_request *request)
{
	uint64_t begin = request->sector * SECTOR, end = begin + request->sectors * SECTOR;
	struct stat st;

	assert(fstat(disk->file, &st) == 0 && st.st_size <= IO_DISK_MAX);
	disk->size = (uint64_t)st.st_size;
	if (end > disk->size)
		end = disk->size;
	if (begin < end)
		assert(pread(disk->file, disk->model + begin, end - begin, (off_t)begin) ==
			(ssize_t)(end - begin));
}

static bool is_zero(const struct io_disk *disk, const struct io_request *request)
{
	uint64_t begin = request->sector * SECTOR, end = begin + request->sectors * SECTOR;

	for (uint64_t i = begin; i < end && i < disk->size; i++)
		if (disk->model[i] != 0)
			return false;
	return true;
}

/* Applies a request one of whose calls to the host has failed. */
static uint8_t model_failed(struct io_disk *disk, const struct io_request *request)
{
	if (request->type == VIRTIO_BLK_T_FLUSH)
		disk->flush_failed = true;
	else if (request->type != VIRTIO_BLK_T_IN)
		model_reload(disk, request);
	return VIRTIO_BLK_S_IOERR;
}

/* Applies a request during which the host's faults were on. Returns the status that it must
 * have. */
static uint8_t model_faulty(struct io_disk *disk, const struct io_request *request)
{
	struct io_fault fault = io_fault_end();

	disk->is_faulty = false;
	if (fault.failed)
		return model_failed(disk, request);
	if (!fault.unable)
		return model_serve(disk, request);
	/* Without fallocate(2), what is to be discarded stays, and zeroes are written. */
	if (request->type == VIRTIO_BLK_T_DISCARD)
		return VIRTIO_BLK_S_OK;
	model_reload(disk, request);
	assert(is_zero(disk, request));
	return VIRTIO_BLK_S_OK;
}

void io_disk_collect(struct io_world *world)
{
	struct io_disk *disk = &world->disk;
	unsigned number;
	uint32_t len;

	while (io_lane_take(&disk->lane, &number, &len)) {
		const struct io_request *request = &disk->requests[number % IO_SLOTS];
		const uint8_t *bytes = io_lane_bytes(&disk->lane, number);
		uint8_t status =
			disk->is_faulty ? model_faulty(disk, request) : model_serve(disk, request);

		assert(bytes[STATUS] == status);
		if (request->type != VIRTIO_BLK_T_IN || status != VIRTIO_BLK_S_OK)
			continue;
		assert(len == request->sectors * SECTOR + 1);
		assert(memcmp(bytes + DATA, disk->model + request->sector * SECTOR, len - 1) == 0);
	}
}

void io_disk_close(struct io_world *world)
{
	static uint8_t bytes[IO_DISK_MAX + 1];
	struct io_disk *disk = &world->disk;

	assert(disk->lane.used == disk->lane.offered);
	assert(pread(disk->file, bytes, sizeof bytes, 0) == (ssize_t)disk->size);
	assert(memcmp(bytes, disk->model, disk->size) == 0);
	assert(!driver_failed(&disk->guest.driver));
	disk_close(&disk->disk);
	close(disk->file);
	io_guest_end(&disk->guest);
}
