/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/worker.h"

#include <sys/epoll.h>

#include "io/file.h"

static int64_t look_at_queues(void *ctx)
{
	struct worker *worker = ctx;

	return polling_look(&worker->polling, worker->virtio);
}

int worker_init(struct worker *worker, struct virtio_device *virtio, struct polling polling,
	void (*look)(struct io_source *source))
{
	int ret;

	*worker = WORKER_EMPTY;
	worker->virtio = virtio;
	worker->polling = polling;
	ret = io_loop_init(&worker->loop);
	if (ret < 0)
		return ret;
	io_loop_set_work(&worker->loop, look_at_queues, worker);
	worker->look = (struct io_source){.fd = io_event_open(), .ready = look};
	if (worker->look.fd < 0)
		return worker->look.fd;
	worker->rested.fd = io_event_open();
	if (worker->rested.fd < 0)
		return worker->rested.fd;
	return io_loop_add(&worker->loop, &worker->look, EPOLLIN);
}

/* A guest that has ended may have asked for something last. A ring that was laid over itself could
 * go on for ever. */
static void serve_rest(struct worker *worker)
{
	unsigned passes = VIRTIO_PASSES_MAX;
	bool more = true;

	while (more && passes-- > 0 && !atomic_load(&worker->discard)) {
		more = false;
		for (unsigned queue = 0; queue < worker->virtio->queue_count; queue++)
			more |= virtio_serve(worker->virtio, queue);
	}
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;

	io_loop_run(&worker->loop);
	serve_rest(worker);
	io_event_signal(worker->rested.fd);
	return NULL;
}

int worker_start(struct worker *worker)
{
	int error;

	if (atomic_load(&worker->started))
		return 0;
	error = pthread_create(&worker->thread, NULL, worker_main, worker);
	atomic_store(&worker->started, error == 0);
	return -error;
}

void worker_finish(struct worker *worker, bool discard)
{
	if (discard)
		atomic_store(&worker->discard, true);
	if (atomic_load(&worker->started))
		io_loop_stop(&worker->loop);
	else
		io_event_signal(worker->rested.fd);
}

void worker_free(struct worker *worker)
{
	if (atomic_load(&worker->started))
		pthread_join(worker->thread, NULL);
	file_close(&worker->look.fd);
	file_close(&worker->rested.fd);
	io_loop_free(&worker->loop);
}
