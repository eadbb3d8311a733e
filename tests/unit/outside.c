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

/* A record may come from anyone: its checksums show damage, not intent. */
static void test_forged(void)
{
	static const uint8_t bytes[OUTSIDE_INPUT_MAX + 1];
	static const struct journal_entry entries[] = {
		{.kind = JOURNAL_INPUT_END, .value = 1 << 20},
		{.kind = JOURNAL_INPUT, .data = bytes, .len = sizeof bytes},
		{.kind = JOURNAL_INPUT, .number = 1, .data = bytes, .len = 1},
	};

	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		memset(&outside, 0, sizeof outside);
		begin(false);
		outside.position = (struct engine_position){.turns = 2, .instructions = 200};
		outside_note(&outside, entries[i]);
		outside.is_past = true;
		outside.position = (struct engine_position){.turns = 0};
		begin(true);
		at(2);
		ok(*outside.diverged, "input that no port can give is a difference");
		ok(are_equal(seen, ""), "and the device does not get it");
		outside_free(&outside);
	}
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
	test_forged();
	return tap_done();
}
