/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "io/file_holder.h"
#include "log.h"
#include "monotonic.h"

/* A request that waits for the bucket gets what came in meanwhile. Less often than every byte. */
#define TICK_NS UINT64_C(10000000)

/* --- the bucket ------------------------------------------------------------------------------- */

/* Nanoseconds in which so many bytes, up to ENTROPY_RATE_MAX, come in. */
static uint64_t bucket_time(const struct entropy *entropy, size_t bytes)
{
	return (bytes * SECOND_NS + entropy->rate - 1) / entropy->rate;
}

static size_t bucket_bytes(struct entropy *entropy)
{
	uint64_t now = monotonic_ns();

	if (now > entropy->since + SECOND_NS)
		entropy->since = now - SECOND_NS;
	return (now - entropy->since) * entropy->rate / SECOND_NS;
}

static ssize_t wait_for_bucket(struct entropy *entropy)
{
	uint64_t one = bucket_time(entropy, 1);
	uint64_t delay = one > TICK_NS ? one : TICK_NS;
	int ret = io_timer_set(&entropy->timer, delay, 0);

	return ret < 0 ? ret : -EAGAIN;
}

static void timer_ready(struct io_source *source)
{
	struct entropy *entropy = container_of(source, struct entropy, timer);

	io_event_clear(source->fd);
	entropy->ready(entropy->ctx);
}

/* --- the source ------------------------------------------------------------------------------- */

static ssize_t wait_for_file(struct entropy *entropy)
{
	if (!entropy->file_armed) {
		int ret = io_loop_add(entropy->loop, &entropy->file, EPOLLIN);

		if (ret < 0)
			return ret;
		entropy->file_armed = true;
	}
	return -EAGAIN;
}

static void file_ready(struct io_source *source)
{
	struct entropy *entropy = container_of(source, struct entropy, file);

	io_loop_del(entropy->loop, source);
	entropy->file_armed = false;
	entropy->ready(entropy->ctx);
}

static ssize_t fill_from_file(struct entropy *entropy, void *buf, size_t len)
{
	struct pollfd ready = {.fd = entropy->file.fd, .events = POLLIN};
	ssize_t ret;

	/* A FIFO that nobody has opened yet would look as if it had ended. */
	if (entropy->file_waits && poll(&ready, 1, 0) <= 0)
		return wait_for_file(entropy);
	ret = read(entropy->file.fd, buf, len);
	if (ret < 0 && errno == EAGAIN)
		return wait_for_file(entropy);
	if (ret < 0)
		return -errno;
	return ret > 0 ? ret : -ENODATA;
}

static ssize_t fill_from_host(void *buf, size_t len)
{
	ssize_t ret = getrandom(buf, len, GRND_NONBLOCK);

	if (ret >= 0)
		return ret;
	/* Only while the host itself boots; nothing tells when that is over. */
	return errno == EAGAIN ? -ENODATA : -errno;
}

static ssize_t entropy_fill(struct rng_backend *backend, void *buf, size_t len)
{
	struct entropy *entropy = container_of(backend, struct entropy, backend);
	ssize_t ret;

	if (entropy->rate > 0) {
		size_t bytes = bucket_bytes(entropy);

		if (bytes == 0)
			return wait_for_bucket(entropy);
		len = len < bytes ? len : bytes;
	}
	ret = entropy->file.fd >= 0 ? fill_from_file(entropy, buf, len) : fill_from_host(buf, len);
	if (ret > 0 && entropy->rate > 0)
		entropy->since += bucket_time(entropy, (size_t)ret);
	return ret;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int fail(const char *path, int error)
{
	say("--rng file=%s: %s", path, error_text(error));
	return -error;
}

static int open_file(struct entropy *entropy, const char *path)
{
	struct stat st;

	/* O_NONBLOCK: neither opening a FIFO nor reading what is slow may wait. */
	entropy->file = (struct io_source){
		.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
		.ready = file_ready,
	};
	if (entropy->file.fd < 0 || fstat(entropy->file.fd, &st) < 0)
		return fail(path, errno);
	if (S_ISDIR(st.st_mode))
		return fail(path, EISDIR);
	if (S_ISREG(st.st_mode) && file_lock(entropy->file.fd, true) == -EBUSY) {
		file_say_in_use(entropy->file.fd, "--rng file=", path);
		return -EBUSY;
	}
	return io_loop_can_wait(entropy->loop, entropy->file.fd, &entropy->file_waits);
}

int entropy_open(struct entropy *entropy, const char *path, uint32_t rate, struct io_loop *loop)
{
	static const struct rng_backend_ops ops = {.fill = entropy_fill};
	int ret = 0;

	*entropy = ENTROPY_EMPTY;
	entropy->backend.ops = &ops;
	entropy->loop = loop;
	entropy->rate = rate;
	if (path)
		ret = open_file(entropy, path);
	if (ret == 0 && rate > 0)
		ret = io_timer_add(loop, &entropy->timer, timer_ready);
	return ret;
}

void entropy_close(struct entropy *entropy)
{
	file_close(&entropy->file.fd);
	file_close(&entropy->timer.fd);
	*entropy = ENTROPY_EMPTY;
}
