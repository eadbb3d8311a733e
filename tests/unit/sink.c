/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written for somebody who watches: whole records in their order, or counted as lost. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"
#include "io/sink.h"

#define RECORD 4000 /* bytes, no divisor of SINK_SIZE */

/* Fills a record whose number its reader can tell. */
static void fill(uint8_t record[RECORD], uint32_t number)
{
	for (size_t i = 0; i < RECORD; i++)
		record[i] = (uint8_t)(number * 7 + i * 13);
	memcpy(record, &number, sizeof number);
}

/* Reads the records of a file. Returns how many are as they were written, from the first on. */
static uint32_t count_records(int fd)
{
	uint8_t got[RECORD], expected[RECORD];
	uint32_t count = 0;

	while (pread(fd, got, RECORD, (off_t)count * RECORD) == RECORD) {
		fill(expected, count);
		if (memcmp(got, expected, RECORD) != 0)
			break;
		count++;
	}
	return count;
}

static void test_file(void)
{
	char path[] = "/tmp/vole-sink-XXXXXX";
	int fd = mkstemp(path);
	uint32_t count = 3 * (SINK_SIZE / RECORD);
	uint8_t record[RECORD];
	struct sink sink;
	struct sink_end end;

	is(sink_open(&sink, path, (struct sink_wait){0}), 0, "a file is opened");
	for (uint32_t i = 0; i < count; i++) {
		fill(record, i);
		sink_write(&sink, record, sizeof record);
		if (i % 1000 == 0)
			sink_flush(&sink);
	}
	end = sink_close(&sink);
	ok(end.lost == 0 && end.error == 0 && !end.is_stuck, "nothing is lost");
	is(count_records(fd), count, "all is in the file, in its order, past the end of the ring");
	is(lseek(fd, 0, SEEK_END), (off_t)count * RECORD, "and no more");
	unlink(path);
	close(fd);
	is(sink_open(&sink, "/nonexistent/x", (struct sink_wait){0}), -ENOENT, "no such folder");
}

/* The reader takes nothing until the end. */
static void test_slow(void)
{
	uint32_t count = SINK_SIZE / RECORD + 100;
	uint8_t record[RECORD] = {0};
	int ends[2];
	struct sink sink;
	struct sink_end end;

	if (pipe(ends) < 0)
		exit(1);
	sink_open_fd(&sink, ends[1], false);
	for (uint32_t i = 0; i < count; i++)
		sink_write(&sink, record, sizeof record);
	end = sink_close(&sink);
	ok(end.lost >= 50, "a reader who takes nothing: what does not fit is lost, and counted");
	ok(end.unwritten > SINK_SIZE / 2 && end.unwritten < SINK_SIZE, "so is what nobody read");
	is(end.error, -ETIMEDOUT, "and the end does not wait for ever");
	ok(!end.is_stuck, "nothing is stuck");
	ok(fcntl(ends[1], F_GETFD) >= 0, "a descriptor that was given stays open");
	close(ends[0]);
	close(ends[1]);
}

struct late_reader {
	int fd;
	size_t len; /* bytes that it got */
};

/* Begins to read when the ring has been full for a while. */
static void *read_late(void *ctx)
{
	struct late_reader *reader = ctx;
	static uint8_t bytes[1 << 16];
	ssize_t n;

	usleep(100000);
	while ((n = read(reader->fd, bytes, sizeof bytes)) > 0)
		reader->len += (size_t)n;
	return NULL;
}

static void test_patience(void)
{
	static const uint8_t half[SINK_SIZE / 2];
	struct late_reader reader = {.len = 0};
	int ends[2];
	pthread_t thread;
	struct sink sink;
	struct sink_end end;

	if (pipe(ends) < 0)
		exit(1);
	reader.fd = ends[0];
	sink_open_fd(&sink, ends[1], true);
	sink_write(&sink, half, sizeof half);
	sink_write(&sink, half, sizeof half);
	if (pthread_create(&thread, NULL, read_late, &reader) != 0)
		exit(1);
	ok(sink_write_patiently(&sink, half, sizeof half), "who may wait does, for room");
	end = sink_close(&sink);
	pthread_join(thread, NULL);
	ok(end.lost == 0 && end.error == 0, "and nothing is said to be lost");
	is(reader.len, 3 * sizeof half, "nor is it");
	close(ends[0]);
}

/* A reader who takes nothing is not waited for without end. */
static void test_no_reader(void)
{
	static const uint8_t bytes[1 << 20];
	int ends[2];
	struct sink sink;
	struct sink_end end;

	if (pipe(ends) < 0)
		exit(1);
	sink_open_fd(&sink, ends[1], true);
	sink_write(&sink, bytes, sizeof bytes);
	sink_flush(&sink);
	ok(sink_waits(&sink), "what a reader does not take waits");
	is(sink_write_some(&sink, bytes, sizeof bytes), sizeof bytes, "and so does more");
	while (sink_write_some(&sink, bytes, sizeof bytes) == sizeof bytes)
		;
	is(sink_write_some(&sink, bytes, 1), 0, "as long as there is room");
	end = sink_close(&sink);
	is(end.error, -ETIMEDOUT, "until the end");
	is(end.lost, 0, "what was not taken is not lost");
	close(ends[0]);
}

static void test_gone(void)
{
	int ends[2];
	struct sink sink;
	struct sink_end end;

	if (pipe(ends) < 0)
		exit(1);
	close(ends[0]);
	sink_open_fd(&sink, ends[1], false);
	sink_write(&sink, "a line\n", 7);
	sink_flush(&sink);
	sink_write(&sink, "another\n", 8);
	end = sink_close(&sink);
	is(end.error, -EPIPE, "a reader who is gone is told of");
	ok(end.lost == 1 && end.unwritten == 7, "what it has not got is counted");
	close(ends[1]);
}

static void test_unused(void)
{
	struct sink sink;
	struct sink_end end;

	sink_open_fd(&sink, STDOUT_FILENO, false);
	sink_flush(&sink);
	end = sink_close(&sink);
	ok(end.lost == 0 && end.error == 0 && !end.is_stuck, "nothing to write, nothing lost");
}

static void test_report(void)
{
	static const struct {
		struct sink_end end;
		const char *says;
	} cases[] = {
		{{.lost = 0}, ""},
		{{.lost = 1}, "vole: --trace: x: 1 event is lost\n"},
		{{.error = -ENOSPC, .unwritten = 1},
			"vole: --trace: x: No space left on device; the last 1 byte is not "
			"written\n"},
		{{.error = -ENOSPC, .unwritten = 47, .lost = 71},
			"vole: --trace: x: No space left on device; the last 47 bytes are not "
			"written, and 71 events are lost\n"},
		{{.error = -EPERM, .lost = 2, .has_no_thread = true},
			"vole: --trace: x: the thread that writes it: Operation not permitted; "
			"nothing is written\n"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *says;

		capture_begin();
		sink_report(&cases[i].end, "--trace", "x", "event");
		says = capture_end();
		if (!ok(strcmp(says, cases[i].says) == 0, "what is lost is said once (%zu)", i))
			printf("# got: %s", says);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as vole */
	test_file();
	test_slow();
	test_patience();
	test_no_reader();
	test_gone();
	test_unused();
	test_report();
	return tap_done();
}
