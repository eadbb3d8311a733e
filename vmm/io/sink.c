/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "error_text.h"
#include "io/file.h"
#include "io/stream.h"
#include "log.h"

/* A reader that takes nothing is waited for so long at the end. */
#define PATIENCE_S 1
#define WAIT_MS    100

/* --- the thread ------------------------------------------------------------------------------- */

/* Writes a part of what begins at data. Returns the number of bytes, 0 if the reader takes nothing
 * now, or -errno. */
static ssize_t write_some(const struct sink *sink, const uint8_t *data, size_t len)
{
	struct pollfd out = {.fd = sink->fd, .events = POLLOUT};
	ssize_t n;

	if (poll(&out, 1, WAIT_MS) == 0)
		return 0;
	n = write(sink->fd, data, len < sink->step ? len : sink->step);
	if (n >= 0)
		return n;
	if (errno != EAGAIN && errno != EINTR)
		return -errno;
	poll(NULL, 0, WAIT_MS); /* it has room, but not for this */
	return 0;
}

/* Lock held. Waits for records. Returns false at the end. */
static bool next(struct sink *sink)
{
	while (sink->len == 0 && !sink->closing)
		pthread_cond_wait(&sink->given, &sink->lock);
	return sink->len > 0;
}

/* Lock held. */
static void give_up(struct sink *sink, int error)
{
	sink->error = error;
	sink->unwritten = sink->len;
	sink->len = 0;
}

static void *sink_main(void *arg)
{
	struct sink *sink = arg;
	unsigned idle_ms = 0;

	pthread_mutex_lock(&sink->lock);
	while (next(sink)) {
		size_t end = SINK_SIZE - sink->first;
		size_t len = sink->len < end ? sink->len : end;
		ssize_t n;

		pthread_mutex_unlock(&sink->lock);
		n = write_some(sink, sink->ring + sink->first, len);
		pthread_mutex_lock(&sink->lock);
		idle_ms = n == 0 && sink->closing ? idle_ms + WAIT_MS : 0;
		if (n < 0) {
			give_up(sink, (int)n);
		} else if (idle_ms >= PATIENCE_S * 1000) {
			give_up(sink, -ETIMEDOUT);
		} else {
			sink->first = (sink->first + (size_t)n) % SINK_SIZE;
			sink->len -= (size_t)n;
			sink->written += (uint64_t)n;
		}
		pthread_cond_broadcast(&sink->taken);
	}
	sink->ended = true;
	pthread_cond_broadcast(&sink->taken);
	pthread_mutex_unlock(&sink->lock);
	return NULL;
}

/* Lock held. The thread takes no signals, which are the machine's, but the sandbox's own. */
static void start(struct sink *sink)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&sink->thread, NULL, sink_main, sink);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sink->started = error == 0;
	sink->error = -error;
}

/* --- records ---------------------------------------------------------------------------------- */

/* Returns how much a write(2) takes without a wait for a reader; a file has none. */
static size_t step_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? SINK_SIZE : stream_step(fd);
}

static int sink_make(struct sink *sink, int fd, bool owns_fd)
{
	void *ring = mmap(NULL, SINK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_condattr_t monotonic;

	if (ring == MAP_FAILED)
		return -ENOMEM;
	*sink = (struct sink){.fd = fd, .owns_fd = owns_fd, .step = step_of(fd), .ring = ring};
	pthread_mutex_init(&sink->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sink->given, NULL);
	pthread_cond_init(&sink->taken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return 0;
}

int sink_open(struct sink *sink, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	int ret;

	*sink = SINK_EMPTY;
	if (fd < 0)
		return -errno;
	ret = sink_make(sink, fd, true);
	if (ret < 0)
		close(fd);
	return ret;
}

int sink_open_fd(struct sink *sink, int fd, bool owns_fd)
{
	*sink = SINK_EMPTY;
	return sink_make(sink, fd, owns_fd);
}

bool sink_write(struct sink *sink, const void *record, size_t len)
{
	size_t at, head;

	pthread_mutex_lock(&sink->lock);
	if (!sink->started && sink->error == 0)
		start(sink);
	if (sink->error != 0 || len > SINK_SIZE - sink->len) {
		sink->lost++;
		pthread_mutex_unlock(&sink->lock);
		return false;
	}
	at = (sink->first + sink->len) % SINK_SIZE;
	head = SINK_SIZE - at;
	if (head > len)
		head = len;
	memcpy(sink->ring + at, record, head);
	memcpy(sink->ring, (const uint8_t *)record + head, len - head);
	sink->len += len;
	pthread_cond_signal(&sink->given);
	pthread_mutex_unlock(&sink->lock);
	return true;
}

/* Lock held. Waits until all is written, and with is_end for the end of the thread, as long as the
 * reader takes something at least every patience_s seconds. */
static void wait_for_reader(struct sink *sink, bool is_end, time_t patience_s)
{
	while (sink->started && (is_end ? !sink->ended : sink->len > 0)) {
		uint64_t written = sink->written;
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += patience_s;
		if (pthread_cond_timedwait(&sink->taken, &sink->lock, &until) == ETIMEDOUT &&
			sink->written == written)
			return;
	}
}

void sink_flush(struct sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	wait_for_reader(sink, false, PATIENCE_S);
	pthread_mutex_unlock(&sink->lock);
}

/* The thread itself gives a reader up who takes nothing; only a write(2) that does not return can
 * hold it. */
struct sink_end sink_close(struct sink *sink)
{
	struct sink_end end;

	pthread_mutex_lock(&sink->lock);
	sink->closing = true;
	pthread_cond_signal(&sink->given);
	wait_for_reader(sink, true, 2 * PATIENCE_S);
	end = (struct sink_end){.lost = sink->lost,
		.unwritten = sink->unwritten,
		.error = sink->error,
		.is_stuck = sink->started && !sink->ended};
	pthread_mutex_unlock(&sink->lock);
	if (end.is_stuck)
		return end;
	if (sink->started)
		pthread_join(sink->thread, NULL);
	pthread_cond_destroy(&sink->given);
	pthread_cond_destroy(&sink->taken);
	pthread_mutex_destroy(&sink->lock);
	munmap(sink->ring, SINK_SIZE);
	if (sink->owns_fd)
		file_close(&sink->fd);
	*sink = SINK_EMPTY;
	return end;
}

void sink_report(
	const struct sink_end *end, const char *option, const char *name, const char *record)
{
	if (end->error)
		say("%s: %s: %s; the last %" PRIu64 " byte%s not written", option, name,
			error_text(-end->error), end->unwritten,
			end->unwritten == 1 ? " is" : "s are");
	if (end->lost)
		say("%s: %s: %" PRIu64 " %s%s lost", option, name, end->lost, record,
			end->lost == 1 ? " is" : "s are");
}
