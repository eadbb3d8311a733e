/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the first disk from its beginning on, and over again, 4 KiB a request. Command line: number
 * of requests, and how many are under way at once (1 to 32). Prints the time of one, in
 * nanoseconds.
 */

#include "block.h"
#include "error.h"
#include "mmio.h"
#include "printf.h"
#include "start.h"
#include "string.h"
#include "timer.h"
#include "x86.h"

#define READ_LEN  4096
#define BATCH_MAX 32

static struct block disk;
static struct block_request requests[BATCH_MAX];
static uint8_t data[BATCH_MAX][READ_LEN];

static int read_batch(uint32_t first, uint32_t count)
{
	const uint32_t sectors = READ_LEN / VIRTIO_BLK_SECTOR_SIZE;
	const uint32_t places = (uint32_t)disk.capacity / sectors;
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		uint32_t sector = (first + i) % places * sectors;

		error = block_submit(
			&disk, &requests[i], VIRTIO_BLK_T_IN, sector, data[i], READ_LEN);
	}
	block_kick(&disk);
	for (uint32_t i = 0; i < count && !error; i++)
		error = block_wait(&requests[i]);
	return error;
}

static int find_disk(const struct start_info *info)
{
	for (uint32_t i = 0; i < info->dev_size; i++)
		if (mmio_probe(&info_devices(info)[i]) == VIRTIO_ID_BLOCK)
			return block_init(&disk, &info_devices(info)[i]);
	return -ENODEV;
}

int main(const struct start_info *info)
{
	const char *words = info_cmdline(info);
	uint32_t count, batch;
	uint64_t start, ns;

	if (!parse_number(words, &count, &words) || !parse_number(words, &batch, NULL) ||
		count == 0 || batch == 0 || batch > BATCH_MAX || find_disk(info) != 0)
		return 1;
	if (disk.capacity < READ_LEN / VIRTIO_BLK_SECTOR_SIZE)
		return 1;
	start = read_tsc();
	for (uint32_t done = 0; done < count; done += batch)
		if (read_batch(done, batch) != 0)
			return 1;
	ns = timer_microseconds(read_tsc() - start) * 1000;
	divide64(&ns, count);
	printf("%llu\n", ns);
	return 0;
}
