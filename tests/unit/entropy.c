/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's end of an entropy device: sources that are empty for a while or for
 * good, and a limit. */
#include "io/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"

/* Seconds after which a loop that nothing wakes any more is given up. */
#define PATIENCE 60

static char folder[] = "/tmp/vole-test-XXXXXX";

struct fixture {
	struct io_loop loop;
	struct entropy entropy;
	unsigned readies;
};

static void ready(void *ctx)
{
	struct fixture *f = ctx;

	f->readies++;
	io_loop_stop(&f->loop);
}

/* Returns what entropy_open() does. */
static int setup(struct fixture *f, const char *path, uint32_t rate)
{
	int ret;

	*f = (struct fixture){.entropy = ENTROPY_EMPTY};
	io_loop_init(&f->loop);
	capture_begin();
	ret = entropy_open(&f->entropy, path, rate, &f->loop);
	is(capture_lines(capture_end()), ret < 0, "what is wrong is said, nothing else");
	f->entropy.ready = ready;
	f->entropy.ctx = f;
	return ret;
}

static void teardown(struct fixture *f)
{
	entropy_close(&f->entropy);
	io_loop_free(&f->loop);
}

static ssize_t fill(struct fixture *f, void *buf, size_t len)
{
	return f->entropy.backend.ops->fill(&f->entropy.backend, buf, len);
}

/* Until ready() was called once. */
static void wait_until_ready(struct fixture *f)
{
	alarm(PATIENCE);
	f->loop.stopped = false;
	io_loop_run(&f->loop);
	alarm(0);
	io_event_clear(f->loop.stop.fd);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_host(void)
{
	struct fixture f;
	uint8_t a[64], b[64];

	is(setup(&f, NULL, 0), 0, "the host's pool");
	is(fill(&f, a, sizeof a), sizeof a, "gives what is asked for");
	is(fill(&f, b, sizeof b), sizeof b, "at any time");
	ok(memcmp(a, b, sizeof a) != 0, "and never the same");
	teardown(&f);
}

static void test_file(void)
{
	const char *path = path_of("file");
	FILE *file = fopen(path, "w");
	struct fixture f;
	char buf[16];

	fputs("0123456789", file);
	fclose(file);
	is(setup(&f, path, 0), 0, "a file");
	ok(fill(&f, buf, 4) == 4 && memcmp(buf, "0123", 4) == 0, "is read from its beginning");
	ok(fill(&f, buf, sizeof buf) == 6 && memcmp(buf, "456789", 6) == 0, "to its end");
	is(fill(&f, buf, sizeof buf), -ENODATA, "at which there is no more");
	is(fill(&f, buf, sizeof buf), -ENODATA, "for good");
	unlink(path);
	teardown(&f);

	is(setup(&f, path, 0), -ENOENT, "a file that is missing");
	teardown(&f);
	is(setup(&f, folder, 0), -EISDIR, "a folder");
	teardown(&f);
	is(setup(&f, "/dev/zero", 0), 0, "a device that cannot be waited for");
	memset(buf, 1, sizeof buf);
	is(fill(&f, buf, sizeof buf), sizeof buf, "and need not be");
	is(buf[15], 0, "gives what it has");
	teardown(&f);
}

/* Nobody has opened it, then somebody has, and writes, and leaves. */
static void test_fifo(void)
{
	const char *path = path_of("fifo");
	struct fixture f;
	char buf[16];
	int writer;

	mkfifo(path, 0600);
	is(setup(&f, path, 0), 0, "a FIFO");
	is(fill(&f, buf, sizeof buf), -EAGAIN, "without a writer has nothing yet");
	is(fill(&f, buf, sizeof buf), -EAGAIN, "and is asked as often as one likes");
	writer = open(path, O_WRONLY);
	is(fill(&f, buf, sizeof buf), -EAGAIN, "nor with one that does not write");
	is(f.readies, 0, "it is not ready");
	is(write(writer, "abc", 3), 3, "the writer writes");
	wait_until_ready(&f);
	is(f.readies, 1, "then it is");
	ok(fill(&f, buf, sizeof buf) == 3 && memcmp(buf, "abc", 3) == 0, "and gives what there is");
	is(fill(&f, buf, sizeof buf), -EAGAIN, "and waits for more");
	close(writer);
	wait_until_ready(&f);
	is(fill(&f, buf, sizeof buf), -ENODATA, "until the writer leaves");
	teardown(&f);
	unlink(path);
}

/* Never more than the rate allows, however late this process is. */
static void test_rate(void)
{
	static uint8_t buf[65536];
	struct fixture f;
	double begin = seconds(), most;
	size_t total = 0;
	ssize_t got;

	is(setup(&f, NULL, 2000), 0, "2000 bytes a second");
	got = fill(&f, buf, sizeof buf);
	is(got, 2000, "a second's worth at first");
	total += (size_t)got;
	for (unsigned i = 0; i < 3; i++) {
		while ((got = fill(&f, buf, sizeof buf)) > 0)
			total += (size_t)got;
		is(got, -EAGAIN, "then none for a while");
		wait_until_ready(&f);
	}
	is(f.readies, 3, "of which the end is told, once each time");
	got = fill(&f, buf, sizeof buf);
	ok(got > 0, "when there is some");
	total += got > 0 ? (size_t)got : 0;
	most = 2000 * (1 + seconds() - begin);
	ok((double)total <= most + 1, "never more than the rate allows");
	teardown(&f);
}

static void test_slow(void)
{
	struct fixture f;
	uint8_t buf[16];
	double begin;
	ssize_t got;

	is(setup(&f, "/dev/zero", 5), 0, "5 bytes a second, of a file");
	is(fill(&f, buf, sizeof buf), 5, "5 at first");
	begin = seconds();
	while ((got = fill(&f, buf, sizeof buf)) > 0)
		;
	is(got, -EAGAIN, "then no more");
	wait_until_ready(&f);
	ok(seconds() - begin >= 0.19, "the next one comes when it is due");
	ok(fill(&f, buf, sizeof buf) >= 1, "and not before");
	teardown(&f);

	is(setup(&f, NULL, ENTROPY_RATE_MAX), 0, "the highest rate");
	is(fill(&f, buf, sizeof buf), sizeof buf, "gives some too");
	teardown(&f);
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	test_host();
	test_file();
	test_fifo();
	test_rate();
	test_slow();
	rmdir(folder);
	return tap_done();
}
