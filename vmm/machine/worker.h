/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_WORKER_H
#define VMM_WORKER_H

/*
 * The thread that serves one disk, so that nothing else waits for a host's disk that stalls. It has
 * a loop of its own, whose sources are the kicks of the disk's queues, and looks at the queues
 * before it waits for kicks, if the user has it do so (machine/polling.h). It starts when the
 * driver does, since a guest without a driver need not pay for it.
 *
 * An engine that executes guest code on the I/O thread serves its disks there, between two
 * instructions, and has no workers.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "io/loop.h"
#include "machine/polling.h"
#include "virtio.h"

struct worker {
	struct io_loop loop;
	struct io_source look;        /* an eventfd: the user says that the disk has a new size */
	struct io_source rested;      /* an eventfd, in no loop: the thread is about to end */
	struct virtio_device *virtio; /* not owned */
	struct polling polling;
	pthread_t thread;
	atomic_bool started;
	atomic_bool discard; /* what is left of the requests is not served */
};

#define WORKER_EMPTY ((struct worker){.loop = IO_LOOP_EMPTY, .look.fd = -1, .rested.fd = -1})

/* Makes the loop; look() is called on the thread when worker->look is signalled. Returns 0 or
 * -errno (said). The caller calls worker_free() whatever is returned. */
int worker_init(struct worker *worker, struct virtio_device *virtio, struct polling polling,
	void (*look)(struct io_source *source));

/* Starts the thread, unless it runs. Returns 0 or -errno. Not called from two threads at once. */
int worker_start(struct worker *worker);

/* Has the thread end once no request is left; with discard, after the one at hand. Signals
 * worker->rested then, or at once if there is no thread. May be called again, with discard. I/O
 * thread, once no guest code is executed. */
void worker_finish(struct worker *worker, bool discard);

/* Frees what worker_init() made. The thread has rested. */
void worker_free(struct worker *worker);

#endif
