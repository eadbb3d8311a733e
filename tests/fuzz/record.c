/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record that somebody has made: it is refused, or repeats whatever it says. The first byte of an
 * input chooses what the others are: a file; a setup behind a valid header; or entries, with valid
 * checksums, that a machine with a port, entropy and a disk is to repeat: kind, number, turns (1
 * byte each), value (2), bytes of data (1), and what is asked for meanwhile (1).
 */
#include "replay/record_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "input.h"
#include "replay/outside.h"

static struct record_setup setup;

static void parse(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct journal journal;
	struct journal_entry entry;
	const char *cut;
	char why[200];

	memcpy(copy, bytes, len);
	journal_init(&journal);
	if (record_parse(copy, len, &setup, &journal, &cut, why, sizeof why) < 0) {
		assert(*why);
		return;
	}
	assert(setup.words[setup.words_len - 1] == '\0' && journal.len <= len);
	for (; journal_next(&journal, &entry); journal_advance(&journal))
		assert(entry.len <= JOURNAL_DATA_MAX);
	journal_free(&journal);
}

/* As struct header of record_file.c. */
static void parse_setup(const uint8_t *bytes, size_t len)
{
	uint8_t *file = calloc(1, 32 + len);
	uint32_t numbers[] = {RECORD_VERSION, (uint32_t)len};
	uint64_t sum;

	memcpy(file, "vole record\n", 12);
	memcpy(file + 16, numbers, sizeof numbers);
	memcpy(file + 32, bytes, len);
	sum = checksum_add(checksum_add(0, file, 24), bytes, len);
	memcpy(file + 24, &sum, sizeof sum);
	parse(file, 32 + len);
	free(file);
}

/* --- entries ---------------------------------------------------------------------------------- */

static struct outside outside;
static uint8_t disk_bytes[4096];

static ssize_t host_read(struct console_backend *be, const struct iovec *iov, unsigned count)
{
	(void)be, (void)iov, (void)count;
	abort(); /* the past asks for nothing */
}

static ssize_t host_write(struct console_backend *be, const struct iovec *iov, unsigned count)
{
	(void)be, (void)count;
	return iov->iov_len > 3 ? 3 : (ssize_t)iov->iov_len;
}

static void host_want(struct console_backend *be, bool input, bool output)
{
	(void)be, (void)output;
	assert(!input);
}

static bool host_connected(struct console_backend *be)
{
	(void)be;
	return true;
}

static void host_size(struct console_backend *be, uint16_t *cols, uint16_t *rows)
{
	(void)be;
	*cols = *rows = 0;
}

static const struct console_backend_ops console_ops = {
	host_read, host_write, host_want, host_connected, host_size};

static ssize_t disk_transfer(
	struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset)
{
	(void)be, (void)count, (void)offset;
	return iov->iov_len > 100 ? 100 : (ssize_t)iov->iov_len;
}

static const struct block_backend_ops disk_ops = {.read = disk_transfer, .write = disk_transfer};

static void use_port(void *ctx, unsigned number)
{
	struct console_backend *port = &outside.ports[number].backend;
	uint8_t bytes[7];
	struct iovec iov = {bytes, sizeof bytes};

	(void)ctx;
	if (port->ops->read(port, &iov, 1) > 0)
		port->ops->write(port, &iov, 1);
}

static void use_window(void *ctx, unsigned number)
{
	(void)ctx, (void)number;
}

static void use_entropy(void *ctx)
{
	uint8_t bytes[33];

	(void)ctx;
	assert(outside.entropy.ops->fill(&outside.entropy, bytes, sizeof bytes) <=
		(ssize_t)sizeof bytes);
}

static void use_disk(void)
{
	struct block_backend *disk = &outside.disks[0].backend;
	struct iovec iov[] = {{disk_bytes, 300}, {disk_bytes + 1000, 200}};

	assert(disk->ops->read(disk, iov, 2, 0) <= 500);
	disk->ops->write(disk, iov, 2, 0);
}

static void resize(void *ctx, unsigned number)
{
	(void)ctx;
	assert(number == 0 && outside.disks[0].backend.capacity > 0);
}

static const struct outside_host host = {
	.input = use_port, .window = use_window, .entropy = use_entropy, .resize = resize};

static void add_entries(struct input *in)
{
	static const uint8_t data[256];

	while (input_left(in) > 0) {
		struct journal_entry entry = {
			.kind = (enum journal_kind)(take(in, 1) % JOURNAL_KINDS),
			.number = (uint32_t)take(in, 1) % 20,
			.turns = take(in, 1),
			.value = (int16_t)take(in, 2),
			.data = data,
			.len = (uint32_t)take(in, 1)};

		journal_add(&outside.journal, &entry);
		(void)take(in, 1);
	}
}

static void repeat(struct input in)
{
	struct console_backend console = {&console_ops};
	struct block_backend disk = {.ops = &disk_ops};
	struct rng_backend rng = {0};
	struct engine_position now = {0};
	uint8_t *bytes;
	const char *why;
	size_t len;

	memset(&outside, 0, sizeof outside);
	add_entries(&in);
	len = outside.journal.len;
	bytes = malloc(len > 0 ? len : 1);
	if (len > 0)
		memcpy(bytes, outside.journal.bytes, len);
	journal_take(&outside.journal, bytes, len, &why);
	outside_init(&outside, &host, NULL, true);
	outside_add_port(&outside, 0, &console);
	outside_add_entropy(&outside, &rng);
	outside_add_disk(&outside, 0, &disk);
	for (; now.turns < 256 && !*outside.diverged; now.turns++) {
		outside_take(&outside, &now);
		use_port(NULL, 0);
		if (now.turns % 4 == 0)
			use_entropy(NULL);
		use_disk();
	}
	outside_free(&outside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	unsigned choice = (unsigned)take(&in, 1) % 3;

	if (choice == 0)
		parse(in.next, input_left(&in));
	else if (choice == 1)
		parse_setup(in.next, input_left(&in));
	else
		repeat(in);
	return 0;
}
