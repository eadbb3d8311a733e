/* SPDX-License-Identifier: BSD-2-Clause */
#include "checksum.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Bytes that are read at a time, and those that have a checksum of their own. */
#define READ_SIZE  (64u << 10)
#define BLOCK_SIZE 4096u

/* Words that are mixed beside each other, so that a processor need not wait for each product. */
#define LANES 4

/* Odd, with about as many ones as zeroes. */
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * FACTOR;
	return lane ^ lane >> 29;
}

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *next = bytes;
	uint64_t word;

	sum = mix(sum, len);
	for (; len >= sizeof word; len -= sizeof word, next += sizeof word) {
		memcpy(&word, next, sizeof word);
		sum = mix(sum, word);
	}
	if (len == 0)
		return sum;
	word = 0;
	memcpy(&word, next, len);
	return mix(sum, word);
}

/* Returns the checksum of a block at this place, 0 if all of it is zero. */
static uint64_t sum_block(const uint8_t block[BLOCK_SIZE], uint64_t number)
{
	uint64_t lanes[LANES] = {number, ~number, number << 32, number ^ FACTOR}, any = 0, sum = 0;

	for (unsigned at = 0; at < BLOCK_SIZE; at += sizeof lanes) {
		uint64_t words[LANES];

		memcpy(words, block + at, sizeof words);
		for (unsigned i = 0; i < LANES; i++) {
			lanes[i] = mix(lanes[i], words[i]);
			any |= words[i];
		}
	}
	for (unsigned i = 0; i < LANES; i++)
		sum = mix(sum, lanes[i]);
	return any ? sum : 0;
}

/* Sets [*start, *end) to the next bytes from *start on that are no hole; *start is end_of_file if
 * there are none. A file system that knows no holes has none. */
static void find_data(int fd, uint64_t end_of_file, uint64_t *start, uint64_t *end)
{
	off_t data = lseek(fd, (off_t)*start, SEEK_DATA), hole;

	if (data < 0 && errno == ENXIO) {
		*start = *end = end_of_file;
		return;
	}
	hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
	if (data >= 0)
		*start = (uint64_t)data / BLOCK_SIZE * BLOCK_SIZE;
	*end = hole < 0 ? end_of_file : (uint64_t)hole;
}

/* Returns how many bytes the blocks have that so many bytes are in. */
static uint64_t round_up(uint64_t bytes)
{
	return (bytes + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;
}

/* Adds the blocks that [start, end) is in, where start is a multiple of their size. What follows
 * them is not added: behind a hole it is of the next range. */
static int add_range(int fd, uint64_t start, uint64_t end, uint64_t *sum)
{
	uint8_t bytes[READ_SIZE];

	while (start < end) {
		size_t left =
			round_up(end - start) < sizeof bytes ? round_up(end - start) : sizeof bytes;
		ssize_t len = TEMP_FAILURE_RETRY(pread(fd, bytes, left, (off_t)start));
		size_t whole;

		if (len <= 0)
			return len < 0 ? -errno : -ENODATA;
		whole = round_up((size_t)len);
		memset(bytes + len, 0, whole - (size_t)len);
		for (size_t at = 0; at < whole; at += BLOCK_SIZE)
			*sum += sum_block(bytes + at, (start + at) / BLOCK_SIZE);
		start += whole;
	}
	return 0;
}

int checksum_file(int fd, uint64_t *size, uint64_t *sum)
{
	off_t len = lseek(fd, 0, SEEK_END);
	uint64_t start = 0, end;
	int ret = 0;

	if (len < 0)
		return -errno;
	*size = (uint64_t)len;
	*sum = mix(*size, FACTOR);
	while (ret == 0 && start < *size) {
		find_data(fd, *size, &start, &end);
		ret = add_range(fd, start, end, sum);
		start = round_up(end);
	}
	return ret;
}
