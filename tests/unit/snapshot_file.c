/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of checkpoints: what is written is read and mapped; what is cut off, damaged or foreign is
 * refused. */
#include "snapshot/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "checksum.h"

#define PAGES      64
#define MEMORY_LEN (PAGES * 4096)

static char path[] = "/tmp/vole-snapshot-XXXXXX";
static uint8_t memory[MEMORY_LEN] __attribute__((aligned(4096)));

static void write_sample(void)
{
	struct snapshot_stream state;
	uint32_t word = 0x12345678;
	int fd = snapshot_file_create(path);

	memset(memory, 0, sizeof memory);
	memory[5] = 1;
	memory[4096 * 33 + 4095] = 2;
	snapshot_write(&state);
	snapshot_begin(&state, "TEST", 0);
	SNAPSHOT_FIELD(&state, word);
	snapshot_end(&state);
	is(snapshot_file_write(fd, path, memory, MEMORY_LEN, &state), 0, "a file is written");
	snapshot_free(&state);
	close(fd);
}

/* The header has the checksum of what is before it, as spec/snapshot.md says: section 2. */
static void test_sums(void)
{
	uint8_t header[72], state[64];
	uint64_t sums[2];
	int fd;
	ssize_t len;

	write_sample();
	fd = open(path, O_RDONLY);
	is(pread(fd, header, sizeof header, 0), sizeof header, "there is a header");
	len = pread(fd, state, sizeof state, 4096 + MEMORY_LEN);
	close(fd);
	memcpy(sums, header + 56, sizeof sums);
	ok(len > 0 && sums[0] == checksum_add(0, state, (size_t)len), "it has the state's sum");
	ok(sums[1] == checksum_add(0, header, 64), "and its own");
}

static void test_round_trip(void)
{
	struct snapshot_file file, second;
	struct snapshot_stream state;
	uint32_t word = 0;
	struct stat st;
	uint8_t *host;

	write_sample();
	stat(path, &st);
	ok(st.st_blocks * 512 < MEMORY_LEN / 2, "pages of zeroes take no room");
	is(snapshot_file_open(&file, path), 0, "it is opened");
	snapshot_read(&state, file.state, file.state_len);
	snapshot_begin(&state, "TEST", 0);
	SNAPSHOT_FIELD(&state, word);
	snapshot_end(&state);
	is(word, 0x12345678, "the state is as it was");
	is(file.memory_len, MEMORY_LEN, "so is the size of memory");
	host = mmap(NULL, MEMORY_LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is(snapshot_file_map(&file, host), 0, "memory is mapped");
	ok(memcmp(host, memory, MEMORY_LEN) == 0, "with its content");
	is(snapshot_file_open(&second, path), 0, "several can use it");
	host[5] = 77;
	snapshot_file_map(&second, host);
	is(host[5], 1, "what one of them writes is its own");
	ok(snapshot_file_create(path) == -EBUSY, "it cannot be overwritten meanwhile");
	snapshot_file_close(&second);
	snapshot_file_close(&file);
	munmap(host, MEMORY_LEN);
}

/* Opens the file. Returns whether it is refused. */
static bool is_refused(void)
{
	struct snapshot_file file;
	int ret = snapshot_file_open(&file, path);

	snapshot_file_close(&file);
	return ret < 0;
}

static void flip(off_t offset, unsigned bit)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	if (pread(fd, &byte, 1, offset) == 1) {
		byte ^= (uint8_t)(1 << bit);
		if (pwrite(fd, &byte, 1, offset) != 1)
			byte = 0;
	}
	close(fd);
}

static void test_damaged(void)
{
	const off_t state = SNAPSHOT_MEMORY_OFFSET + MEMORY_LEN;
	unsigned refused = 0;

	write_sample();
	for (unsigned bit = 0; bit < 72 * 8; bit++) {
		flip(bit / 8, bit % 8);
		refused += is_refused();
		flip(bit / 8, bit % 8);
	}
	is(refused, 72 * 8, "each bit of the header counts");
	refused = 0;
	for (unsigned bit = 0; bit < 16 * 8; bit++) {
		flip(state + bit / 8, bit % 8);
		refused += is_refused();
		flip(state + bit / 8, bit % 8);
	}
	is(refused, 16 * 8, "each bit of the state counts");
	ok(!is_refused(), "undamaged, the file is accepted");
}

static void test_cut_off(void)
{
	static const off_t sizes[] = {0, 1, 15, 71, 72, 4096, SNAPSHOT_MEMORY_OFFSET + MEMORY_LEN,
		SNAPSHOT_MEMORY_OFFSET + MEMORY_LEN + 15, SNAPSHOT_MEMORY_OFFSET + MEMORY_LEN + 17};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		write_sample();
		ok(truncate(path, sizes[i]) == 0 && is_refused(), "a file of %lld bytes is refused",
			(long long)sizes[i]);
	}
}

int main(void)
{
	int fd = mkstemp(path);

	/* Hundreds of refusals are said. */
	close(fd);
	fd = open("/dev/null", O_WRONLY);
	dup2(fd, STDERR_FILENO);
	close(fd);
	test_sums();
	test_round_trip();
	test_damaged();
	test_cut_off();
	unlink(path);
	return tap_done();
}
