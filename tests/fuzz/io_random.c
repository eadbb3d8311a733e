/* SPDX-License-Identifier: BSD-2-Clause */
/* Entropy from a FIFO whose writers come and go: the guest gets each byte once. */
#include "io.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT_SIZE  64
#define RESETS_MAX 8 /* each takes memory for new rings */

static void random_ready(void *ctx)
{
	virtio_backend_ready(&((struct io_random *)ctx)->rng.dev, 0);
}

static void bring_up(struct io_random *random)
{
	assert(driver_bring_up(&random->guest.driver, 0));
	io_lane_init(&random->lane, &random->guest, 0, SLOT_SIZE);
}

void io_random_open(struct io_world *world)
{
	struct io_random *random = &world->random;

	io_path(random->path, "random");
	assert(mkfifo(random->path, 0600) == 0);
	assert(entropy_open(&random->entropy, random->path, 0, &world->loop) == 0);
	random->entropy.ready = random_ready;
	random->entropy.ctx = random;
	random->writer = -1;
	io_guest_begin(&random->guest);
	virtio_rng_init(&random->rng, &random->entropy.backend, &random->guest.driver.ram.gmem,
		&driver_host_ops, &random->guest.driver.host);
	io_guest_attach(world, &random->guest, &random->rng.dev);
	bring_up(random);
}

void io_random_ask(struct io_world *world)
{
	struct io_random *random = &world->random;
	uint32_t len = 1 + take(&world->in, 1) % SLOT_SIZE;

	if (driver_failed(&random->guest.driver)) {
		assert(random->ended);
		if (random->resets++ < RESETS_MAX)
			bring_up(random);
	} else if (!io_lane_full(&random->lane)) {
		io_lane_offer_one(&random->lane, len, true);
	}
}

static void write_more(struct io_random *random, unsigned count)
{
	uint8_t bytes[64];
	ssize_t len;

	if (random->writer < 0)
		random->writer = open(random->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert(random->writer >= 0 && count <= sizeof bytes);
	for (unsigned i = 0; i < count; i++)
		bytes[i] = (uint8_t)(random->written + i);
	len = write(random->writer, bytes, count);
	random->written += len > 0 ? (unsigned)len : 0;
}

void io_random_write(struct io_world *world)
{
	struct io_random *random = &world->random;
	unsigned how = take(&world->in, 1);

	if (how < 0xc0) {
		write_more(random, how % 64);
	} else if (random->writer >= 0) {
		close(random->writer);
		random->writer = -1;
		random->ended = true;
	}
}

void io_random_collect(struct io_world *world)
{
	struct io_random *random = &world->random;
	unsigned number;
	uint32_t len;

	while (io_lane_take(&random->lane, &number, &len)) {
		assert(len > 0 && len <= random->lane.len[number % IO_SLOTS]);
		for (uint32_t i = 0; i < len; i++)
			assert(io_lane_bytes(&random->lane, number)[i] == (uint8_t)random->read++);
	}
	assert(random->read <= random->written);
}

/* The guest asks until it has had all that is still in the FIFO. */
void io_random_close(struct io_world *world)
{
	struct io_random *random = &world->random;

	write_more(random, 1);
	if (driver_failed(&random->guest.driver))
		bring_up(random);
	io_rest(world);
	while (random->read != random->written) {
		unsigned before = random->read;

		if (!io_lane_full(&random->lane))
			io_lane_offer_one(&random->lane, SLOT_SIZE, true);
		io_rest(world);
		assert(random->read != before);
	}
	assert(!driver_failed(&random->guest.driver));
	close(random->writer);
	entropy_close(&random->entropy);
	unlink(random->path);
	io_guest_end(&random->guest);
}
