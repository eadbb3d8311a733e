/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "error_text.h"
#include "io/file.h"
#include "io/file_holder.h"
#include "io/stream.h"
#include "line.h"
#include "log.h"
#include "monotonic.h"

/* A reader that takes nothing is waited for so long at the end. */
#define PATIENCE_S 1
#define WAIT_MS    100

/* So long nothing is said of a FIFO that nobody reads: its reader may be starting. */
#define SILENCE_MS 5000

/* How long a record waits for others, so that a write(2) takes many; and how many bytes of them do
 * not wait any more. */
#define TOGETHER_NS  1000000
#define TOGETHER_LEN (64u << 10)

/* --- the thread ------------------------------------------------------------------------------- */

/* Ends the line that is being written, if any. */
static void leave_line(struct sink *sink)
{
	if (sink->in_line)
		line_end();
	sink->in_line = false;
}

/* Writes whole lines to standard error, of those that begin at data, or a part of one where the
 * step is shorter than that. Returns as write_some(). */
static ssize_t write_lines(struct sink *sink, const uint8_t *data, size_t len)
{
	const uint8_t *last = memrchr(data, '\n', len);
	ssize_t n;

	if (last)
		len = (size_t)(last + 1 - data);
	if (!sink->in_line && !line_begin(WAIT_MS))
		return 0;
	sink->in_line = true;
	n = line_write((const char *)data, len, sink->step);
	if (n > 0 && data[n - 1] == '\n')
		leave_line(sink);
	return n;
}

/* Writes a part of what begins at data. Returns the number of bytes, 0 if the reader takes nothing
 * now, or -errno. */
static ssize_t write_some(struct sink *sink, const uint8_t *data, size_t len)
{
	struct pollfd out = {.fd = sink->fd, .events = POLLOUT};
	ssize_t n;

	if (poll(&out, 1, WAIT_MS) == 0)
		return 0;
	if (len > sink->step)
		len = sink->step;
	n = sink->is_log ? write_lines(sink, data, len) : write(sink->fd, data, len);
	if (n < 0 && !sink->is_log)
		n = -errno;
	if (n != -EAGAIN && n != -EINTR)
		return n;
	poll(NULL, 0, WAIT_MS); /* it has room, but not for this */
	return 0;
}

/* Lock held. Returns whether what waits is written at once. Lines beside what the guest prints are,
 * so that they come where they belong. */
static bool is_urgent(const struct sink *sink)
{
	return sink->is_log || sink->closing || sink->flushes > 0 || sink->len >= TOGETHER_LEN;
}

/* Lock held. Waits for those that come with a record. */
static void wait_for_others(struct sink *sink)
{
	struct timespec until = monotonic_in(TOGETHER_NS);

	while (!is_urgent(sink) &&
		pthread_cond_timedwait(&sink->given, &sink->lock, &until) != ETIMEDOUT)
		;
}

/* Lock held. Waits for records. Returns false at the end. */
static bool next(struct sink *sink)
{
	bool waits = sink->len == 0;

	while (sink->len == 0 && !sink->closing)
		pthread_cond_wait(&sink->given, &sink->lock);
	if (waits)
		wait_for_others(sink);
	return sink->len > 0;
}

/* Lock held. */
static void give_up(struct sink *sink, int error)
{
	leave_line(sink);
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
		/* Who waits for a reader counts the time in which it took nothing. */
		if (n != 0 || sink->len == 0)
			pthread_cond_broadcast(&sink->taken);
	}
	leave_line(sink);
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
	sink->error = -thread_error(error);
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
	pthread_cond_init(&sink->given, &monotonic);
	pthread_cond_init(&sink->taken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return 0;
}

/* Truncates a file only after it is locked: it may be a disk of this machine, or another view's.
 * Returns 0 or -errno. */
static int empty_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (file_lock(fd, false) == -EBUSY)
		return -EBUSY;
	return ftruncate(fd, 0) < 0 ? -errno : 0;
}

/* Opens a file for writing. A FIFO is waited for until it has a reader. open(2) would wait, too,
 * but signals are held back here, so nothing but SIGKILL would end it. */
static int open_for_writing(const char *path, struct sink_wait wait)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, flags, 0666);

	for (unsigned ms = 0; fd < 0 && errno == ENXIO && wait.moment && file_is_fifo(path);
		ms += WAIT_MS) {
		int ret = wait.moment(wait.ctx, WAIT_MS);

		if (ret < 0)
			return ret;
		if (ms == SILENCE_MS)
			say("%s: vole waits for somebody who reads this FIFO", path);
		fd = open(path, flags, 0666);
	}
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, O_WRONLY) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int sink_open(struct sink *sink, const char *path, struct sink_wait wait)
{
	int fd = open_for_writing(path, wait);
	int ret;

	*sink = SINK_EMPTY;
	if (fd < 0)
		return fd;
	ret = empty_file(fd);
	if (ret == 0)
		ret = sink_make(sink, fd, true);
	if (ret < 0)
		close(fd);
	return ret;
}

void sink_say_unopened(int ret, const char *option, const char *path)
{
	int fd = ret == -EBUSY && path ? open(path, O_PATH | O_CLOEXEC) : -1;

	if (fd >= 0) {
		file_say_in_use(fd, option, path);
		close(fd);
		return;
	}
	if (path && (ret == -EINTR || ret == -ETIMEDOUT))
		say("%s%s: nobody reads this FIFO; %s has ended the wait for a reader", option,
			path, ret == -EINTR ? "a signal" : "--timeout");
	else
		say("%s%s: %s", option, path ? path : "standard error", error_text(-ret));
}

int sink_open_fd(struct sink *sink, int fd, bool owns_fd)
{
	*sink = SINK_EMPTY;
	return sink_make(sink, fd, owns_fd);
}

int sink_open_log(struct sink *sink)
{
	int ret = sink_open_fd(sink, STDERR_FILENO, false);

	if (ret == 0)
		sink->is_log = true;
	return ret;
}

bool sink_write(struct sink *sink, const void *record, size_t len)
{
	bool was_urgent, wakes;
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
	was_urgent = is_urgent(sink);
	wakes = sink->len == 0;
	sink->len += len;
	if (wakes || (!was_urgent && is_urgent(sink)))
		pthread_cond_signal(&sink->given);
	pthread_mutex_unlock(&sink->lock);
	return true;
}

bool sink_write_patiently(struct sink *sink, const void *record, size_t len)
{
	bool has_room;

	pthread_mutex_lock(&sink->lock);
	has_room = len <= SINK_SIZE - sink->len;
	pthread_mutex_unlock(&sink->lock);
	if (!has_room)
		sink_flush(sink);
	return sink_write(sink, record, len);
}

size_t sink_write_some(struct sink *sink, const void *bytes, size_t len)
{
	size_t room;

	pthread_mutex_lock(&sink->lock);
	room = sink->error == 0 ? SINK_SIZE - sink->len : len;
	pthread_mutex_unlock(&sink->lock);
	/* Only more room can come of what the thread does meanwhile. */
	len = len < room ? len : room;
	if (len > 0)
		sink_write(sink, bytes, len);
	return len;
}

bool sink_waits(struct sink *sink)
{
	bool waits;

	pthread_mutex_lock(&sink->lock);
	waits = sink->len > 0;
	pthread_mutex_unlock(&sink->lock);
	return waits;
}

/* Lock held. Waits until all is written, and with is_end for the end of the thread, as long as the
 * reader takes something at least every patience_s seconds. */
static void wait_for_reader(struct sink *sink, bool is_end, unsigned patience_s)
{
	while (sink->started && (is_end ? !sink->ended : sink->len > 0)) {
		uint64_t written = sink->written;
		struct timespec until = monotonic_in(patience_s * UINT64_C(1000000000));

		if (pthread_cond_timedwait(&sink->taken, &sink->lock, &until) == ETIMEDOUT &&
			sink->written == written)
			return;
	}
}

void sink_flush(struct sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	sink->flushes++;
	pthread_cond_signal(&sink->given);
	wait_for_reader(sink, false, PATIENCE_S);
	sink->flushes--;
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
		.has_no_thread = sink->error != 0 && !sink->started,
		.is_stuck = sink->started && !sink->ended};
	if (end.is_stuck) {
		end.unwritten = sink->len;
		end.error = -ETIMEDOUT;
	}
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
	char lost[64] = "";

	if (end->lost)
		snprintf(lost, sizeof lost, "%" PRIu64 " %s%s lost", end->lost, record,
			end->lost == 1 ? " is" : "s are");
	if (end->has_no_thread)
		say("%s: %s: the thread that writes it: %s; nothing is written", option, name,
			thread_error_text(-end->error));
	else if (end->error)
		say("%s: %s: %s; the last %" PRIu64 " byte%s not written%s%s", option, name,
			error_text(-end->error), end->unwritten,
			end->unwritten == 1 ? " is" : "s are", end->lost ? ", and " : "", lost);
	else if (end->lost)
		say("%s: %s: %s", option, name, lost);
}
