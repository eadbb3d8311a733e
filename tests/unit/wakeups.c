/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No wake-up is lost between the two halves of a queue, the device's in virtio/ and the driver's in
 * guest-kernel/. Each is a thread; there is one buffer, so that both are always about to sleep, and
 * each tells the other only if that asks for it. Where a store can be overtaken by the look that
 * follows it, since a full barrier is missing, sooner or later both sleep for ever.
 *
 * That needs two CPUs, and luck: a run without a fault proves nothing. Without one of the four
 * barriers it took from ten to a hundred thousand rounds, each time that was tried, on an x86 host
 * with two busy CPUs. On a host with one CPU nothing is found.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../library.h"
#include "../tap.h"
#include "virtio.h"

#define QUEUE_SIZE 4
#define ROUNDS     400000
#define BUDGET_MS  2000 /* of each test: fewer rounds on a host that is busy */
#define DELAY_MAX  512  /* turns of an empty loop: about what a store needs to the other CPU */
#define SPINS      2000 /* turns before the CPU is offered to others */

/* One that sleeps until it is told. */
struct sleeper {
	atomic_uint sleeps; /* odd: asleep */
	atomic_bool told;
	unsigned random;
};

struct pair {
	struct library *library;
	struct gmem_region memory;
	struct gmem gmem;
	struct virtq vq;
	struct sleeper driver, device;
	atomic_bool stop, lost;
	cpu_set_t cpus; /* that there are */
};

static void tell(struct sleeper *sleeper)
{
	atomic_store(&sleeper->told, true);
}

/*
 * Both sleep, and neither was told. Not a guess: the caller sleeps, and the other one is the only
 * one who could tell him. It was asleep before we looked at what was told, and still is in the same
 * sleep. And since it wakes up before it forgets that it was told, it was not told for this one.
 */
static bool both_asleep(struct sleeper *self, struct sleeper *other)
{
	unsigned sleep = atomic_load(&other->sleeps);

	if (sleep % 2 == 0 || atomic_load(&other->told) || atomic_load(&self->told))
		return false;
	return atomic_load(&other->sleeps) == sleep;
}

/* Until told. False if that will not be. */
static bool sleep_until_told(struct pair *pair, struct sleeper *self, struct sleeper *other)
{
	atomic_fetch_add(&self->sleeps, 1);
	for (unsigned turn = 1; !atomic_load(&self->told); turn++) {
		if (both_asleep(self, other)) {
			atomic_store(&pair->lost, true);
			atomic_store(&pair->stop, true);
		}
		if (atomic_load(&pair->stop))
			return false;
		if (turn % SPINS == 0)
			sched_yield();
	}
	atomic_fetch_add(&self->sleeps, 1);
	atomic_store(&self->told, false);
	return true;
}

/* A while, each time another: who is first is to be open. */
static void delay(struct sleeper *self)
{
	self->random = self->random * 1103515245 + 12345;
	for (unsigned i = self->random >> 16 & (DELAY_MAX - 1); i > 0; i--)
		__asm__ volatile("" : : : "memory");
}

/* Have the calling thread on one of the CPUs that there are, if there are several. */
static void take_cpu(const struct pair *pair, int number)
{
	cpu_set_t one;
	int seen = 0;

	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &pair->cpus) && seen++ == number)
			CPU_SET(cpu, &one);
	if (seen > 1)
		sched_setaffinity(0, sizeof one, &one);
}

/* As virtio_serve() and a device do it. */
static void *device_thread(void *ctx)
{
	struct pair *pair = ctx;
	struct virtq *vq = &pair->vq;

	take_cpu(pair, 1);
	do {
		do {
			struct chain chain;

			virtq_silence(vq);
			while (virtq_pop(vq, &chain) == 1)
				virtq_push(vq, &chain, 0);
			delay(&pair->device);
			if (virtq_publish(vq))
				tell(&pair->driver);
			delay(&pair->device);
		} while (virtq_listen(vq));
	} while (sleep_until_told(pair, &pair->device, &pair->driver));
	return NULL;
}

/* The driver's kick. */
static void tell_device(void *ctx)
{
	struct pair *pair = ctx;

	tell(&pair->device);
}

/* False if the buffer does not come back. */
static bool round_trip(struct pair *pair)
{
	/* Whatever was told by now was about the round before. */
	library_interrupts_off(pair->library);
	atomic_store(&pair->driver.told, false);

	library_add(pair->library);
	library_kick(pair->library);
	delay(&pair->driver);
	while (!library_take(pair->library)) {
		if (!library_interrupts_on(pair->library) &&
			!sleep_until_told(pair, &pair->driver, &pair->device))
			return false;
	}
	delay(&pair->driver);
	return true;
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_wakeups(const char *name, uint64_t features)
{
	struct pair *pair = calloc(1, sizeof *pair);
	long end = milliseconds() + BUDGET_MS;
	struct library_memory memory;
	unsigned rounds = 0;
	pthread_t thread;

	pair->library = library_make(QUEUE_SIZE, features, tell_device, pair);
	memory = library_memory(pair->library);
	pair->memory =
		(struct gmem_region){(uintptr_t)memory.bytes, memory.len, memory.bytes, true};
	pair->gmem = (struct gmem){.regions = &pair->memory, .count = 1};
	pair->vq.size = QUEUE_SIZE;
	pair->vq.desc = (uintptr_t)memory.desc;
	pair->vq.driver = (uintptr_t)memory.driver;
	pair->vq.device = (uintptr_t)memory.device;
	if (virtq_enable(&pair->vq, &pair->gmem, QUEUE_SIZE, features) < 0)
		abort();
	sched_getaffinity(0, sizeof pair->cpus, &pair->cpus);
	pthread_create(&thread, NULL, device_thread, pair);
	take_cpu(pair, 0);
	while (rounds < ROUNDS && (rounds % 1024 != 0 || milliseconds() < end) && round_trip(pair))
		rounds++;
	atomic_store(&pair->stop, true);
	pthread_join(thread, NULL);
	sched_setaffinity(0, sizeof pair->cpus, &pair->cpus);

	ok(!atomic_load(&pair->lost), "HARD-22 %s: driver and device never wait for each other",
		name);
	printf("# %u rounds\n", rounds);
	library_free(pair->library);
	free(pair);
}

int main(void)
{
	const uint64_t event_idx = VIRTIO_BIT(VIRTIO_F_EVENT_IDX);
	const uint64_t packed = VIRTIO_BIT(VIRTIO_F_RING_PACKED);

	test_wakeups("split, by flags", 0);
	test_wakeups("split, by position", event_idx);
	test_wakeups("packed, by mode", packed);
	test_wakeups("packed, by position", packed | event_idx);
	return tap_done();
}
