/* SPDX-License-Identifier: BSD-2-Clause */
#include "io.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Passes after which a loop is one that spins. */
#define PASSES_MAX 5000

/* --- the driver ------------------------------------------------------------------------------- */

static void kick_ready(struct io_source *source)
{
	struct io_kick *kick = (struct io_kick *)source;

	if (virtio_serve(kick->guest->driver.dev, kick->queue))
		io_event_signal(source->fd);
}

static void note_kick(void *ctx, unsigned queue)
{
	io_event_signal(((struct io_guest *)ctx)->kicks[queue].source.fd);
}

/* Not by driver_init(), which clears megabytes: io_guest_end() clears what an input used. */
void io_guest_begin(struct io_guest *guest)
{
	static _Alignas(4096) uint8_t memory[3][RAM_SIZE + ROM_SIZE];
	static unsigned turn;

	memset(guest, 0, sizeof *guest);
	ram_init_at(&guest->driver.ram, memory[turn++ % 3]);
	guest->driver.host.on_kick = note_kick;
	guest->driver.host.ctx = guest;
}

void io_guest_attach(struct io_world *world, struct io_guest *guest, struct virtio_device *dev)
{
	driver_attach(&guest->driver, dev);
	guest->kick_count = dev->queue_count;
	for (unsigned i = 0; i < guest->kick_count; i++) {
		struct io_kick *kick = &guest->kicks[i];

		*kick = (struct io_kick){{io_event_open(), kick_ready}, guest, i};
		assert(kick->source.fd >= 0);
		assert(io_loop_add(&world->loop, &kick->source, EPOLLIN | EPOLLET) == 0);
	}
}

void io_guest_end(struct io_guest *guest)
{
	struct ram *ram = &guest->driver.ram;

	for (unsigned i = 0; i < guest->kick_count; i++) {
		struct ring *ring = &guest->driver.rings[i];

		assert(!ring->ram || ring_guards_intact(ring));
		close(guest->kicks[i].source.fd);
	}
	guest->kick_count = 0;
	virtio_free(guest->driver.dev);
	memset(ram->bytes, 0, ram->next);
}

void io_lane_init(struct io_lane *lane, struct io_guest *guest, unsigned queue, uint32_t slot_size)
{
	*lane = (struct io_lane){.guest = guest, .queue = queue, .slot_size = slot_size};
	lane->slots = ram_alloc(&guest->driver.ram, IO_SLOTS * slot_size, 16);
}

bool io_lane_full(const struct io_lane *lane)
{
	return lane->offered - lane->used == IO_SLOTS;
}

static gpa_t slot(const struct io_lane *lane, unsigned number)
{
	return lane->slots + number % IO_SLOTS * lane->slot_size;
}

uint8_t *io_lane_bytes(const struct io_lane *lane, unsigned number)
{
	return ram_at(&lane->guest->driver.ram, slot(lane, number));
}

/* As a driver that kicks only where the device asks for it. */
void io_lane_offer(struct io_lane *lane, const struct buffer *buffers, unsigned count)
{
	struct driver *driver = &lane->guest->driver;
	struct ring *ring = &driver->rings[lane->queue];
	uint32_t value = lane->queue;

	ring_add(ring, buffers, count);
	lane->offered++;
	if (driver->features & VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA))
		value |= (uint32_t)ring_position(ring) << 16;
	if (ring_wants_kick(ring))
		reg_write(driver, VIRTIO_MMIO_QUEUE_NOTIFY, value);
}

void io_lane_offer_one(struct io_lane *lane, uint32_t len, bool write)
{
	lane->len[lane->offered % IO_SLOTS] = len;
	io_lane_offer(lane, &(struct buffer){slot(lane, lane->offered), len, write}, 1);
}

bool io_lane_take(struct io_lane *lane, unsigned *number, uint32_t *len)
{
	struct used used;

	if (lane->guest->kick_count == 0 ||
		!ring_take(&lane->guest->driver.rings[lane->queue], &used))
		return false;
	assert(lane->used != lane->offered);
	*number = lane->used++;
	*len = used.len;
	return true;
}

/* --- the loop --------------------------------------------------------------------------------- */

void io_hurry(const struct io_source *timer)
{
	struct itimerspec when = {0};

	if (timer->fd < 0)
		return;
	timerfd_gettime(timer->fd, &when);
	if (when.it_value.tv_sec == 0 && when.it_value.tv_nsec == 0)
		return;
	when.it_value = (struct timespec){0, 1};
	timerfd_settime(timer->fd, 0, &when, NULL);
}

void io_step(struct io_world *world)
{
	assert(io_loop_serve(&world->loop, 0) == 0);
	io_port_collect(world);
	io_disk_collect(world);
	io_random_collect(world);
}

void io_rest(struct io_world *world)
{
	struct pollfd any = {.fd = world->loop.epoll, .events = POLLIN};

	for (unsigned passes = 0; poll(&any, 1, 0) > 0; passes++) {
		assert(passes < PASSES_MAX);
		io_step(world);
	}
	io_port_check(world);
}
