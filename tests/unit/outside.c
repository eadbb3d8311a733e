/* SPDX-License-Identifier: BSD-2-Clause */
/* The outside of a machine: a run notes the input that comes to it, and a replay gives the same to
 * the guest, whose differences are found. */
#include "replay/outside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"

/* --- the host --------------------------------------------------------------------------------- */

struct host {
	struct console_backend console;
	struct rng_backend rng;
	struct block_backend disk;
	const char *input; /* NULL: none */
	size_t room;       /* bytes of output that are taken */
	char output[64];
	bool wants_input, wants_output, connected;
	int disk_result; /* of the next transfer; 0: all of it */
	unsigned asked;  /* calls that the past must not make */
};

static struct host host;

static ssize_t host_read(struct console_backend *be, const struct iovec *iov, unsigned count)
{
	size_t len = host.input ? strlen(host.input) : 0;

	(void)be, (void)count;
	host.asked++;
	if (len == 0)
		return host.input ? 0 : -EAGAIN;
	memcpy(iov->iov_base, host.input, len);
	host.input = NULL;
	return (ssize_t)len;
}

static ssize_t host_write(struct console_backend *be, const struct iovec *iov, unsigned count)
{
	size_t len = iov->iov_len < host.room ? iov->iov_len : host.room;

	(void)be, (void)count;
	if (len == 0)
		return -EAGAIN;
	strncat(host.output, iov->iov_base, len);
	host.room -= len;
	return (ssize_t)len;
}

static void host_want(struct console_backend *be, bool input, bool output)
{
	(void)be;
	host.wants_input = input;
	host.wants_output = output;
}

static bool host_connected(struct console_backend *be)
{
	(void)be;
	return host.connected;
}

static void host_size(struct console_backend *be, uint16_t *cols, uint16_t *rows)
{
	(void)be;
	*cols = 80;
	*rows = 25;
}

static ssize_t host_fill(struct rng_backend *be, void *bytes, size_t len)
{
	(void)be;
	host.asked++;
	memset(bytes, 0x5a, len / 2);
	return (ssize_t)len / 2;
}

static ssize_t host_transfer(
	struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset)
{
	int result = host.disk_result;

	(void)be, (void)count, (void)offset;
	host.disk_result = 0;
	return result ? result : (ssize_t)(iov->iov_len > 10 ? 10 : iov->iov_len);
}

static const struct console_backend_ops console_ops = {
	host_read, host_write, host_want, host_connected, host_size};
static const struct rng_backend_ops rng_ops = {host_fill};
static const struct block_backend_ops disk_ops = {.read = host_transfer, .write = host_transfer};

static bool are_equal(const char *got, const char *expected)
{
	if (strcmp(got, expected) == 0)
		return true;
	printf("# got      %s\n# expected %s\n", got, expected);
	return false;
}

/* --- the guest -------------------------------------------------------------------------------- */

static struct outside outside;
static char seen[256]; /* all that the guest learns */

static void note(const char *format, long value)
{
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), format, value);
}

static void on_input(void *ctx, unsigned port)
{
	struct console_backend *be = &outside.ports[port].backend;
	char bytes[8] = "";
	struct iovec iov[] = {{bytes, 2}, {bytes + 2, 3}};

	(void)ctx;
	note("read %ld ", be->ops->read(be, iov, 2));
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "[%s] ", bytes);
	note("connected %ld, ", be->ops->connected(be));
}

static void on_window(void *ctx, unsigned port)
{
	(void)ctx;
	note("window %ld, ", port);
}

static void on_entropy(void *ctx)
{
	uint8_t bytes[8] = {0};

	(void)ctx;
	note("entropy %ld ", outside.entropy.ops->fill(&outside.entropy, bytes, sizeof bytes));
	note("%lx, ", bytes[3]);
}

static void on_sizes(void *ctx)
{
	(void)ctx;
	outside_resized(&outside, 0, 16);
}

static void on_resize(void *ctx, unsigned number)
{
	(void)ctx;
	note("size %ld, ", (long)outside.disks[number].backend.capacity);
}

static const struct outside_host guest = {on_input, on_window, on_entropy, on_sizes, on_resize};

static void transfer(void)
{
	char bytes[40];
	struct iovec iov[] = {{bytes, 25}, {bytes + 25, 15}};
	struct block_backend *disk = &outside.disks[0].backend;

	note("disk %ld, ", disk->ops->read(disk, iov, 2, 0));
}

static void print(const char *text)
{
	struct iovec iov = {(void *)text, strlen(text)};
	struct console_backend *be = &outside.ports[0].backend;

	note("wrote %ld, ", be->ops->write(be, &iov, 1));
}

static void at(uint64_t turns)
{
	struct engine_position now = {.turns = turns, .instructions = turns * 100};

	outside_take(&outside, &now);
}

static void begin(bool is_past)
{
	host = (struct host){.console = {&console_ops},
		.rng = {&rng_ops},
		.disk = {.ops = &disk_ops, .capacity = 8},
		.connected = true};
	*seen = '\0';
	outside_init(&outside, &guest, NULL, is_past);
	outside_add_port(&outside, 0, &host.console);
	outside_add_entropy(&outside, &host.rng);
	outside_add_disk(&outside, 0, &host.disk);
	outside.ports[0].backend.ops->want(&outside.ports[0].backend, true, false);
}

/* Things that come from outside are there in the present alone. */
static void live(bool is_past)
{
	at(1);
	if (!is_past) {
		host.input = "hello, world";
		outside_port_ready(&outside, 0);
	}
	at(2);
	host.room = 3;
	print("output");
	host.disk_result = is_past ? 0 : -EIO;
	transfer();
	transfer();
	if (!is_past) {
		host.connected = false;
		host.input = "";
		outside_port_ready(&outside, 0);
		outside_entropy_ready(&outside);
		outside_ask_sizes(&outside);
	}
	at(5);
	on_input(NULL, 0); /* what was not read yet */
	at(6);
}

static void test_repeat(void)
{
	char first[sizeof seen];
	const char *why;
	uint8_t *bytes;
	size_t len;

	memset(&outside, 0, sizeof outside);
	begin(false);
	live(false);
	is(outside_waits(&outside), true, "output waits for its reader");
	is(host.wants_output, true, "who is waited for");
	ok(are_equal(host.output, "out"), "and has a part of it");
	host.room = 100;
	outside_port_ready(&outside, 0);
	ok(are_equal(host.output, "output"), "and then all");
	is(outside_waits(&outside), false, "then nothing waits");
	strcpy(first, seen);
	ok(strstr(first, "read 5 [hello]"), "the guest has read input");
	ok(strstr(first, "wrote 6"), "its output was taken at once");
	ok(strstr(first, "disk -5, disk 40"), "a transfer failed, and the next was done in parts");
	ok(strstr(first, "entropy 4 5a"), "it got entropy");
	ok(strstr(first, "size 16"), "and a larger disk");
	outside_note(&outside, (struct journal_entry){.kind = JOURNAL_END});
	len = outside.journal.len;
	bytes = malloc(len);
	memcpy(bytes, outside.journal.bytes, len);
	outside_free(&outside);

	memset(&outside, 0, sizeof outside);
	is(journal_take(&outside.journal, bytes, len, &why), len, "the journal is without fault");
	ok(!why, "and has an end");
	begin(true);
	live(true);
	ok(are_equal(seen, first), "the past has the same");
	ok(are_equal(outside.diverged, ""), "nothing differs");
	is(host.asked, 0, "and the host is not asked");
	is(host.wants_input, false, "nor is its input wanted");
	outside_free(&outside);
}

/* A journal with one input at turn 2. */
static void make_past(void)
{
	memset(&outside, 0, sizeof outside);
	begin(false);
	host.input = "x";
	outside_port_ready(&outside, 0);
	at(2);
	outside.is_past = true;
	outside.journal.at = 0;
	outside.position = (struct engine_position){.turns = 0};
	begin(true);
}

/* Has the past be what was added to the journal, as if it were read from a file. Returns what is
 * wrong with it. */
static const char *take_past(void)
{
	size_t len = outside.journal.len;
	uint8_t *bytes = malloc(len);
	const char *why;

	memcpy(bytes, outside.journal.bytes, len);
	outside_free(&outside);
	memset(&outside, 0, sizeof outside);
	journal_take(&outside.journal, bytes, len, &why);
	return why;
}

/* A record may come from anyone: its checksums show damage, not intent. */
static const uint8_t bytes[JOURNAL_INPUT_MAX + 1], number[8], below[8] = {[7] = 0x80};
static const struct journal_entry good[] = {
	{.kind = JOURNAL_PORT, .number = 16, .value = 0xffffffff01},
	{.kind = JOURNAL_INPUT, .data = bytes, .len = JOURNAL_INPUT_MAX},
	{.kind = JOURNAL_INPUT_END, .value = -EIO},
	{.kind = JOURNAL_ENTROPY, .value = 3, .data = bytes, .len = 3},
	{.kind = JOURNAL_ENTROPY, .value = -EAGAIN},
	{.kind = JOURNAL_ENTROPY_READY},
	{.kind = JOURNAL_DISK, .number = 31, .value = -EIO, .data = number, .len = 8},
	{.kind = JOURNAL_STOP, .number = 1, .value = 255, .data = number, .len = 8},
	{.kind = JOURNAL_END, .number = 15, .value = 255},
	{.kind = JOURNAL_DISK_SIZE, .value = INT64_MAX / 512},
	{.kind = JOURNAL_MARK, .turns = INT64_MAX},
};
static const struct journal_entry bad[] = {
	{.kind = JOURNAL_PORT, .number = 17},
	{.kind = JOURNAL_PORT, .value = 2},
	{.kind = JOURNAL_PORT, .data = bytes, .len = 1},
	{.kind = JOURNAL_INPUT, .number = 17, .data = bytes, .len = 1},
	{.kind = JOURNAL_INPUT, .value = 1, .data = bytes, .len = 1},
	{.kind = JOURNAL_INPUT},
	{.kind = JOURNAL_INPUT, .data = bytes, .len = sizeof bytes},
	{.kind = JOURNAL_INPUT_END, .value = 1},
	{.kind = JOURNAL_INPUT_END, .value = -4096},
	{.kind = JOURNAL_ENTROPY, .value = 3, .data = bytes, .len = 2},
	{.kind = JOURNAL_ENTROPY, .value = -EAGAIN, .data = bytes, .len = 2},
	{.kind = JOURNAL_ENTROPY_READY, .number = 1},
	{.kind = JOURNAL_DISK, .number = 32, .data = number, .len = 8},
	{.kind = JOURNAL_DISK, .value = INT64_C(1) << 32, .data = number, .len = 8},
	{.kind = JOURNAL_DISK, .data = number, .len = 4},
	{.kind = JOURNAL_STOP, .number = 2, .data = number, .len = 8},
	{.kind = JOURNAL_STOP, .value = 256, .data = number, .len = 8},
	{.kind = JOURNAL_STOP, .value = -1, .data = number, .len = 8},
	{.kind = JOURNAL_STOP, .data = below, .len = 8},
	{.kind = JOURNAL_STOP},
	{.kind = JOURNAL_END, .number = 19},
	{.kind = JOURNAL_END, .value = 256},
	{.kind = JOURNAL_END, .value = INT64_C(1) << 32},
	{.kind = JOURNAL_DISK_SIZE},
	{.kind = JOURNAL_DISK_SIZE, .value = INT64_MAX},
	{.kind = JOURNAL_MARK, .value = 1},
	{.kind = JOURNAL_MARK, .turns = UINT64_MAX},
	{.kind = JOURNAL_MARK, .instructions = UINT64_MAX},
	{.kind = JOURNAL_KINDS},
	{.kind = 0},
};

static void test_fields(void)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ok(journal_is_valid(&good[i]), "entry %zu can be", i);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *why;

		memset(&outside, 0, sizeof outside);
		journal_add(&outside.journal, &good[0]);
		journal_add(&outside.journal, &bad[i]);
		why = take_past();
		ok(are_equal(why, "the file is damaged"), "entry %zu cannot be", i);
		ok(journal_is_valid(&good[0]) && outside.journal.len == 48, "and is not taken");
		outside_free(&outside);
	}
}

static void test_order(void)
{
	static const struct journal_entry pairs[][2] = {
		{{.kind = JOURNAL_MARK, .turns = 2}, {.kind = JOURNAL_MARK, .turns = 1}},
		{{.kind = JOURNAL_MARK, .instructions = 2},
			{.kind = JOURNAL_MARK, .turns = 1, .instructions = 1}},
		{{.kind = JOURNAL_END}, {.kind = JOURNAL_MARK}},
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		memset(&outside, 0, sizeof outside);
		journal_add(&outside.journal, &pairs[i][0]);
		journal_add(&outside.journal, &pairs[i][1]);
		ok(are_equal(take_past(), "the file is damaged"), "no run has this order");
		outside_free(&outside);
	}
}

/* Has the past have one entry, at turn 2. */
static void make_forged(struct journal_entry entry)
{
	memset(&outside, 0, sizeof outside);
	begin(false);
	outside.position = (struct engine_position){.turns = 2, .instructions = 200};
	outside_note(&outside, entry);
	take_past();
	begin(true);
}

/* Entries that a run can have, and this one has not. */
static void test_forged(void)
{
	static const uint64_t first = 1;
	static const uint8_t byte;

	make_forged((struct journal_entry){
		.kind = JOURNAL_INPUT, .number = 1, .data = &byte, .len = 1});
	at(2);
	ok(*outside.diverged, "input for a port that the machine lacks is a difference");
	ok(are_equal(seen, ""), "and no device gets it");
	outside_free(&outside);

	make_forged((struct journal_entry){.kind = JOURNAL_DISK_SIZE, .number = 1, .value = 1});
	at(2);
	ok(*outside.diverged, "so is the size of a disk that it lacks");
	outside_free(&outside);

	make_forged((struct journal_entry){.kind = JOURNAL_DISK,
		.value = 40,
		.data = (const uint8_t *)&first,
		.len = sizeof first});
	outside.position.turns = 2;
	transfer();
	ok(are_equal(outside.diverged,
		   "disk 0 is asked for 40 bytes, and in the record it transferred 40"),
		"and a transfer that did what it was asked for");
	ok(are_equal(seen, "disk -5, "), "which fails");
	outside_free(&outside);

	make_forged((struct journal_entry){.kind = JOURNAL_ENTROPY});
	at(2);
	ok(are_equal(outside.diverged, ""), "what is asked for waits");
	at(3);
	ok(*outside.diverged, "as long as its turn");
	outside_free(&outside);
}

static void test_differences(void)
{
	struct engine_position now = {.turns = 2, .instructions = 201};

	make_past();
	at(3);
	ok(are_equal(outside.diverged,
		   "what came after instruction 200 has no place: 300 are executed"),
		"input whose turn has gone by is a difference");
	outside_free(&outside);

	make_past();
	outside_take(&outside, &now);
	ok(are_equal(outside.diverged,
		   "what came after instruction 200 has no place: 201 are executed"),
		"so is another number of instructions");
	outside_free(&outside);

	make_past();
	at(1);
	on_entropy(NULL);
	ok(are_equal(outside.diverged,
		   "something was asked of the outside that the record does not have after "
		   "instruction 100"),
		"and a request that there was not");
	outside_free(&outside);
}

int main(void)
{
	test_repeat();
	test_differences();
	test_fields();
	test_order();
	test_forged();
	return tap_done();
}
