/* SPDX-License-Identifier: BSD-2-Clause */
/* Two threads at one device, and drivers that do anything at random. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "../virtio_fixture.h"

/* --- two threads ------------------------------------------------------------------------------ */

/* The I/O thread: serves what is kicked, until stopped. */
struct io {
	struct fixture *f;
	sem_t kicked, interrupted;
	atomic_bool stop;
	pthread_t thread;
};

static void io_kick(void *ctx, unsigned queue)
{
	struct io *io = ctx;

	(void)queue;
	sem_post(&io->kicked);
}

static void io_raise(void *ctx)
{
	struct io *io = ctx;

	sem_post(&io->interrupted);
}

static void *io_run(void *arg)
{
	struct io *io = arg;

	for (;;) {
		sem_wait(&io->kicked);
		if (io->stop)
			return NULL;
		while (virtio_serve(io->f->d.dev, 0) && !io->stop)
			;
	}
}

static void io_start(struct io *io, struct fixture *f)
{
	memset(io, 0, sizeof *io);
	io->f = f;
	sem_init(&io->kicked, 0, 0);
	sem_init(&io->interrupted, 0, 0);
	f->d.host.ctx = io;
	f->d.host.on_kick = io_kick;
	f->d.host.on_raise = io_raise;
	pthread_create(&io->thread, NULL, io_run, io);
}

static void io_stop(struct io *io)
{
	io->stop = true;
	sem_post(&io->kicked);
	pthread_join(io->thread, NULL);
	sem_destroy(&io->kicked);
	sem_destroy(&io->interrupted);
}

/* A driver that kicks and is interrupted only as far as it is asked to. A notification lost in
 * either direction would leave both waiting, so there is an alarm. */
static void test_notifications(uint64_t features, const char *name)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	unsigned sent = 0, done = 0, wrong = 0;
	struct io io;

	alarm(300);
	virtio_offer(f->d.dev, VIRTIO_QUEUE_FEATURES);
	io_start(&io, f);
	driver_bring_up(&f->d, features);
	while (done < 20000) {
		struct used used;

		while (sent < 20000 && sent - done < DRIVER_QUEUE_SIZE) {
			ring_add_one(f->ring, f->page + 16 * (sent % DRIVER_QUEUE_SIZE), 16, true);
			sent++;
			if (ring_wants_kick(f->ring))
				reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		}
		ring_want_interrupts(f->ring, false);
		for (unsigned before = done;; before = done) {
			while (ring_take(f->ring, &used)) {
				wrong += used.id != done % DRIVER_QUEUE_SIZE || used.len != 16;
				done++;
			}
			if (done != before)
				break;
			ring_want_interrupts(f->ring, true);
			if (!ring_pending(f->ring))
				sem_wait(&io.interrupted);
			reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 1);
		}
	}
	io_stop(&io);
	alarm(0);
	is(wrong, 0,
		"HARD-22 SPLIT-DEV-16 (2.7.10.2, 2.8.10) %s: 20000 requests between two threads, "
		"all came",
		name);
	ok(f->d.host.kicks[0] <= 20001, "with %u kicks and %u interrupts", f->d.host.kicks[0],
		f->d.host.raises);
	teardown(f);
}

/* Resets while requests are under way. Between reset and the next DRIVER_OK the memory is the
 * driver's alone: the thread sanitizer, and the pattern, tell if it is not. */
static void test_resets(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	gpa_t mark = f->d.ram.next;
	unsigned touched = 0, good = 0;
	struct io io;

	io_start(&io, f);
	for (unsigned i = 0; i < 500; i++) {
		gpa_t len;

		f->d.ram.next = mark;
		good += driver_bring_up(&f->d, 0);
		for (unsigned n = 0; n < DRIVER_QUEUE_SIZE; n++) {
			ring_add_one(f->ring, f->page, 256, true);
			reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		}
		if (i % 2)
			reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
		else
			reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
		len = f->d.ram.next - f->page;
		memset(ram_at(&f->d.ram, f->page), 0x5a, len);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		sched_yield();
		touched += !ram_is(&f->d.ram, f->page, 0x5a, len);
		memset(ram_at(&f->d.ram, f->page), 0, len);
	}
	io_stop(&io);
	is(good, 500, "HARD-14 500 resets and stops while the other thread serves");
	is(touched, 0,
		"HARD-14 BASE-DEV-02 (2.4.1) MMIO-DEV-01 (4.2.2.1) no memory is touched after");
	teardown(f);
}

/* A back end that takes its time: it lets others run, and says when it is done. */
struct slow {
	sem_t entered;
	atomic_bool stopping; /* the other thread is about to write the register */
	atomic_bool finished;
};

static void slow_transfer(void *ctx)
{
	struct slow *slow = ctx;

	sem_post(&slow->entered);
	while (!slow->stopping)
		sched_yield();
	for (unsigned i = 0; i < 100; i++)
		sched_yield();
	slow->finished = true;
}

static void test_in_flight(uint32_t reg, uint32_t value, const char *name)
{
	struct fixture *f = setup(VIRTIO_ID_BLOCK);
	struct virtio_blk_req header = {.type = cpu_to_le32(VIRTIO_BLK_T_IN)};
	struct buffer request[] = {{f->page, 16, false}, {f->page + 512, 513, true}};
	struct slow slow = {.finished = false};
	struct io io;
	unsigned raises;

	sem_init(&slow.entered, 0, 0);
	f->blk_host.on_transfer = slow_transfer;
	f->blk_host.ctx = &slow;
	driver_negotiate(&f->d, VIRTIO_BIT(VIRTIO_F_RING_RESET));
	driver_setup(&f->d, 0, DRIVER_QUEUE_SIZE);
	memcpy(ram_at(&f->d.ram, f->page), &header, sizeof header);
	ring_add(f->ring, request, 2);
	io_start(&io, f);
	/* This is also the kick; from now on the other thread may hold the lock and wait for us. */
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xf);
	sem_wait(&slow.entered);
	slow.stopping = true;
	reg_write(&f->d, reg, value);
	ok(slow.finished, "MMIO-DEV-21 HARD-14 (4.2.2.2) %s waits for the request in flight", name);
	is(reg_read(&f->d, reg), 0, "MMIO-DEV-06 (4.2.2.1) %s is done when it returns", name);
	raises = f->d.host.raises;
	memset(f->d.ram.bytes, 0x5a, RAM_SIZE);
	io_stop(&io);
	virtio_serve(f->d.dev, 0);
	ok(ram_is(&f->d.ram, 0, 0x5a, RAM_SIZE),
		"HARD-14 BASE-DEV-02 (2.4.1) after %s memory is left alone", name);
	is(f->d.host.raises, raises, "HARD-14 BASE-DEV-02 (2.4.1) after %s all is silent", name);
	sem_destroy(&slow.entered);
	teardown(f);
}

static void *reset_queue(void *arg)
{
	struct fixture *f = arg;

	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	return NULL;
}

/* A CPU resets a queue that is not ready, and waits because the host works for another queue.
 * Meanwhile another CPU makes the queue ready, and the device begins a request from it. */
static void test_reset_meets_ready(void)
{
	struct fixture *f = setup(VIRTIO_ID_BLOCK);
	struct virtio_blk_req header = {.type = cpu_to_le32(VIRTIO_BLK_T_IN)};
	struct buffer request[] = {{f->page, 16, false}, {f->page + 512, 1025, true}};
	struct virtio_device *dev = f->d.dev;
	pthread_t other;
	bool waits;

	alarm(300);
	f->blk_host.max = 512; /* so that the request is not done at once */
	driver_negotiate(&f->d, VIRTIO_BIT(VIRTIO_F_RING_RESET));
	driver_ok(&f->d);
	pthread_mutex_lock(&dev->lock);
	virtio_host_begin(dev);
	pthread_create(&other, NULL, reset_queue, f);
	do {
		sched_yield();
		pthread_mutex_lock(&dev->lock);
		waits = dev->stops > 0;
		pthread_mutex_unlock(&dev->lock);
	} while (!waits);
	driver_setup(&f->d, 0, DRIVER_QUEUE_SIZE);
	memcpy(ram_at(&f->d.ram, f->page), &header, sizeof header);
	ring_add(f->ring, request, 2);
	/* As virtio_serve() does, when the I/O thread has the lock sooner than the other CPU. */
	virtio_host_end(dev);
	ok(dev->ops->notified(dev, 0), "a request is under way");
	pthread_mutex_unlock(&dev->lock);
	pthread_join(other, NULL);

	driver_setup(&f->d, 0, DRIVER_QUEUE_SIZE);
	virtio_serve(dev, 0);
	ok(!ring_pending(f->ring),
		"HARD-14 (2.6.1) a queue that was reset keeps no request, whenever it was begun");
	alarm(0);
	teardown(f);
}

/* Another CPU acknowledges one of two events. */
static void *acknowledge(void *arg)
{
	struct fixture *f = arg;

	virtio_ack_interrupt(f->d.dev, VIRTIO_MMIO_INT_CONFIG);
	return NULL;
}

/* What is left then would be raised again; but a reset comes first, and takes it away. */
static void test_ack_meets_reset(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	struct virtio_device *dev = f->d.dev;
	pthread_t other;

	driver_start(&f->d, 0);
	dev->interrupt_status = VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG;
	pthread_mutex_lock(&dev->lock);
	pthread_create(&other, NULL, acknowledge, f);
	while (dev->interrupt_status != VIRTIO_MMIO_INT_VRING)
		sched_yield();
	virtio_set_status(dev, 0);
	pthread_mutex_unlock(&dev->lock);
	pthread_join(other, NULL);
	is(f->d.host.raises, 0,
		"BASE-DEV-02 (2.4.1) an acknowledgement that a reset overtakes raises nothing");
	teardown(f);
}

/* --- everything at random --------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % limit;
}

/* A number of the kind that breaks things. */
static uint64_t random_value(void)
{
	switch (random_below(6)) {
	case 0:
		return random_below(20);
	case 1:
		return UINT64_C(1) << random_below(64);
	case 2:
		return (UINT64_C(1) << random_below(64)) - 1;
	case 3:
		return RAM_END - random_below(40);
	case 4:
		return random_below(RAM_END);
	default:
		return (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
	}
}

/* Values first: the order in which arguments are computed is the compiler's affair. */
static void random_desc(struct fixture *f, struct ring *ring)
{
	uint16_t index = random_below(ring->size);
	gpa_t addr = random_below(4) ? f->page + random_below(4096) : random_value();
	uint32_t len = random_below(4) ? random_below(2000) : random_value();
	uint16_t flags = random_below(16) ? random_below(4) : 7;
	uint16_t next = random_below(32) ? random_below(ring->size) : random_value();

	ring_set_desc(ring, index, addr, len, flags, next);
}

static void random_write(struct fixture *f)
{
	uint32_t offset = random_below(2) ? random_below(0x120) : 4 * random_below(64);
	unsigned len = random_below(2) ? 4 : 1u << random_below(4);

	access_write(&f->d, offset, random_value(), len);
}

static void random_read(struct fixture *f)
{
	uint32_t offset = random_below(0x120);

	access_read(&f->d, offset, 1u << random_below(4));
}

static void random_step(struct fixture *f)
{
	unsigned queue = random_below(f->d.dev->queue_count);
	struct ring *ring = &f->d.rings[queue];
	struct used used;

	switch (random_below(9)) {
	case 0:
	case 1:
		random_write(f);
		return;
	case 2:
		random_read(f);
		return;
	case 3:
		if (random_below(40) == 0)
			ring_set_avail_idx(ring, random_value());
		return;
	case 4:
		while (ring_take(ring, &used))
			;
		virtio_backend_ready(f->d.dev, 0);
		return;
	case 5:
	case 6:
		random_desc(f, ring);
		return;
	default:
		if ((uint16_t)(ring->avail_idx - ring->used_idx) < ring->size)
			ring_offer(
				ring, random_below(64) ? random_below(ring->size) : random_value());
		driver_kick(&f->d, queue);
	}
}

static void test_random(void)
{
	static const uint8_t input[5000] = {'x'};

	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		gpa_t mark = f->d.ram.next;
		unsigned resets = 0;

		random_state = i;
		for (unsigned step = 0; step < 30000; step++) {
			if (f->d.dev->status == 0 || driver_failed(&f->d) ||
				random_below(2000) == 0) {
				f->d.ram.next = mark;
				memset(ram_at(&f->d.ram, mark), 0, 65536);
				driver_start(&f->d, random_below(2) ? QUEUES : 0);
				f->con_host.input = input;
				f->con_host.input_len = sizeof input;
				resets++;
			}
			random_step(f);
		}
		ok(f->d.host.reports > 10 && f->d.host.reports <= resets,
			"HARD-26 %s: anything, at random: %u failures, each said once, in %u lives",
			types[i].name, f->d.host.reports, resets);
		teardown(f);
	}
}

static void test_all(void)
{
	test_resets();
	test_in_flight(VIRTIO_MMIO_STATUS, 0, "Status := 0");
	test_in_flight(VIRTIO_MMIO_QUEUE_READY, 0, "QueueReady := 0");
	test_in_flight(VIRTIO_MMIO_QUEUE_RESET, 1, "QueueReset := 1");
	test_reset_meets_ready();
}

int main(void)
{
	for_each_ring_form(test_all);
	test_ack_meets_reset();
	test_notifications(0, "flags");
	test_notifications(EVENT_IDX, "event index");
	test_notifications(PACKED, "packed");
	test_notifications(PACKED | EVENT_IDX, "packed, event index");
	test_random();
	return tap_done();
}
