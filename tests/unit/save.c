/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that go on from a saved state: another device of the same type, in the same memory. Its
 * driver notices nothing, whatever the form of the rings, also with a request under way. A state
 * that no device can have is refused.
 */
#include "save.h"

#include <errno.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "../virtio_fixture.h"

static const char *why;

/* Makes the device anew, in its place, and has it go on from the saved state. */
static int replace(struct fixture *f, const struct virtio_saved *saved)
{
	struct virtio_device *dev = f->d.dev;
	const struct gmem *gmem = &f->d.ram.gmem;
	uint32_t id = dev->ops->id;

	virtio_free(dev);
	f->con_host.input_wanted = f->con_host.output_wanted = false;
	if (id == VIRTIO_ID_BLOCK)
		virtio_block_init(
			&f->blk, &f->blk_host.backend, 1, gmem, &driver_host_ops, &f->d.host);
	else if (id == VIRTIO_ID_CONSOLE)
		virtio_console_init(&f->con,
			&(struct console_port_host){&f->con_host.backend, NULL}, 1, false, gmem,
			&driver_host_ops, &f->d.host);
	else
		virtio_rng_init(&f->rng, &f->rng_host.backend, gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, dev);
	return virtio_restore(dev, saved, &why);
}

static int save_and_replace(struct fixture *f, struct virtio_saved *saved)
{
	virtio_save(f->d.dev, saved);
	return replace(f, saved);
}

static struct fixture *begin(uint32_t type)
{
	struct fixture *f = setup(type);

	driver_start(&f->d, 0);
	return f;
}

/* The next used buffer's length; a value no length has if there is none. */
static uint64_t take(struct ring *ring)
{
	struct used used;

	return ring_take(ring, &used) ? used.len : UINT64_MAX;
}

/* More requests than the ring has places, with the device replaced after each. */
static void test_between_requests(void)
{
	struct fixture *f = begin(VIRTIO_ID_ENTROPY);
	struct virtio_saved saved;
	unsigned good = 0;

	for (unsigned i = 0; i < 3 * DRIVER_QUEUE_SIZE + 5; i++) {
		ring_add_one(f->ring, f->page, 16, true);
		driver_kick(&f->d, 0);
		good += take(f->ring) == 16 && save_and_replace(f, &saved) == 0 &&
			driver_status(&f->d) == 0xf;
	}
	is(good, 3 * DRIVER_QUEUE_SIZE + 5, "a device goes on after each request");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING,
		"InterruptStatus is as it was");
	is(f->d.host.live_on, 1 + good, "the machine is told that a driver is at work");
	ok(ring_guards_intact(f->ring), "nothing is written beyond the rings");
	teardown(f);
}

/* Back to a state from before, in the same device: what was done since is done again. */
static void test_back(void)
{
	struct fixture *f = begin(VIRTIO_ID_ENTROPY);
	uint8_t *memory = malloc(RAM_SIZE);
	struct virtio_saved saved;
	struct ring ring;
	unsigned again = 0;

	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	take(f->ring);
	virtio_save(f->d.dev, &saved);
	memcpy(memory, ram_at(&f->d.ram, 0), RAM_SIZE);
	ring = *f->ring;
	for (unsigned i = 0; i < 3; i++) {
		memcpy(ram_at(&f->d.ram, 0), memory, RAM_SIZE);
		*f->ring = ring;
		again += virtio_restore(f->d.dev, &saved, &why) == 0;
		for (unsigned j = 0; j < DRIVER_QUEUE_SIZE + 3; j++) {
			ring_add_one(f->ring, f->page, 16, true);
			driver_kick(&f->d, 0);
			again += take(f->ring) == 16;
		}
		/* One is under way when it goes back, of which the driver then knows nothing. */
		f->rng_host.left = 0;
		ring_add_one(f->ring, f->page, 8, true);
		driver_kick(&f->d, 0);
		f->rng_host.left = SIZE_MAX;
	}
	is(again, 3 * (DRIVER_QUEUE_SIZE + 4), "a device goes back and on again");
	free(memory);
	teardown(f);
}

static void test_waiting_rng(void)
{
	struct fixture *f = begin(VIRTIO_ID_ENTROPY);
	struct virtio_saved saved;

	f->rng_host.left = 0;
	ring_add_one(f->ring, f->page, 16, true);
	ring_add_one(f->ring, f->page + 16, 8, true);
	driver_kick(&f->d, 0);
	is(save_and_replace(f, &saved), 0, "a device is saved whose request waits");
	ok(saved.queues[0].is_held, "that request is given back");
	f->rng_host.left = 1000;
	virtio_backend_ready(f->d.dev, 0);
	driver_serve(&f->d);
	is(take(f->ring), 16, "and served by the device that goes on");
	is(take(f->ring), 8, "and so is the one behind it");
	is(take(f->ring), UINT64_MAX, "once");
	teardown(f);
}

static void test_console_output(void)
{
	struct fixture *f = begin(VIRTIO_ID_CONSOLE);
	struct ring *transmit = &f->d.rings[1];
	struct virtio_saved saved;

	memcpy(ram_at(&f->d.ram, f->page), "to be continued", 15);
	f->con_host.output_room = 6;
	ring_add_one(transmit, f->page, 15, false);
	driver_kick(&f->d, 1);
	is(f->con_host.output_len, 6, "the host has taken a part of the output");
	is(save_and_replace(f, &saved), 0, "the console is saved");
	is(saved.queues[1].transferred, 6, "with what was taken");
	ok(f->con_host.output_wanted, "the console that goes on waits for the host");
	f->con_host.output_room = SIZE_MAX;
	virtio_backend_ready(f->d.dev, 0);
	ok(f->con_host.output_len == 15 && memcmp(f->con_host.output, "to be continued", 15) == 0,
		"which gets the rest, and nothing twice");
	is(take(transmit), 0, "the buffer comes back");
	teardown(f);
}

static void test_console_input(void)
{
	struct fixture *f = begin(VIRTIO_ID_CONSOLE);
	struct virtio_saved saved;

	ring_add_one(f->ring, f->page, 100, true);
	driver_kick(&f->d, 0);
	is(save_and_replace(f, &saved), 0, "a console is saved that waits for input");
	ok(f->con_host.input_wanted, "so does the one that goes on");
	f->con_host.input = (const uint8_t *)"abc";
	f->con_host.input_len = 3;
	virtio_backend_ready(f->d.dev, 0);
	is(take(f->ring), 3, "and gets it");
	ok(!virtio_console_is_outdated(&f->con, 0), "the host is as the driver was told");
	f->con_host.cols = 132;
	ok(virtio_console_is_outdated(&f->con, 0), "until its window has another size");
	teardown(f);
}

/* Ends the pass after the transfer, as a register write does that waits for it. */
static void end_pass(void *ctx)
{
	((struct fixture *)ctx)->blk.dev.stops = 1;
}

static void test_block_request(void)
{
	struct fixture *f = begin(VIRTIO_ID_BLOCK);
	struct virtio_blk_req header = {.sector = cpu_to_le64(3)};
	gpa_t data = ram_alloc(&f->d.ram, 4096, 16), status = ram_alloc(&f->d.ram, 1, 1);
	struct virtio_saved saved;

	memcpy(ram_at(&f->d.ram, f->page), &header, sizeof header);
	f->blk_host.max = 512;
	f->blk_host.on_transfer = end_pass;
	f->blk_host.ctx = f;
	ring_add(f->ring,
		(struct buffer[]){{f->page, 16, false}, {data, 2048, true}, {status, 1, true}}, 3);
	virtio_serve(f->d.dev, 0);
	f->blk.dev.stops = 0;
	virtio_save(f->d.dev, &saved);
	is(saved.queues[0].transferred, 512, "a disk is saved in the middle of a request");
	is(replace(f, &saved), 0, "and goes on");
	f->blk_host.on_transfer = NULL;
	virtio_serve(f->d.dev, 0);
	is(take(f->ring), 2049, "with that request");
	is(f->blk_host.reads, 4, "from where it was");
	ok(ram_is(&f->d.ram, data, 4, 512) && ram_is(&f->d.ram, data + 1536, 7, 512),
		"the data are those of the disk");
	teardown(f);
}

/* A device that has failed stays so until its driver resets it. */
static void test_failed(void)
{
	struct fixture *f = begin(VIRTIO_ID_ENTROPY);
	struct virtio_saved saved;

	f->rng_host.error = -EIO;
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	ok(driver_failed(&f->d), "a device fails");
	is(save_and_replace(f, &saved), 0, "it is saved");
	ok(driver_failed(&f->d), "the one that goes on has failed");
	f->rng_host.error = 0;
	ok(driver_start(&f->d, 0), "a reset mends it");
	teardown(f);
}

static void test_frozen(void)
{
	struct fixture *f = begin(VIRTIO_ID_ENTROPY);

	is(virtio_freeze(f->d.dev), 0, "a device is frozen");
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	is(take(f->ring), UINT64_MAX, "it serves nothing");
	virtio_thaw(f->d.dev);
	driver_serve(&f->d);
	is(take(f->ring), 16, "until it is thawed");
	teardown(f);
}

static void test_all(void)
{
	test_between_requests();
	test_back();
	test_waiting_rng();
	test_console_output();
	test_console_input();
	test_block_request();
	test_failed();
	test_frozen();
}

/* --- states that no device can have ----------------------------------------------------------- */

static void refused(uint32_t type, void (*spoil)(struct virtio_saved *saved), const char *reason)
{
	struct fixture *f = begin(type);
	struct virtio_saved saved;

	virtio_save(f->d.dev, &saved);
	spoil(&saved);
	is(replace(f, &saved), -EINVAL, "a state is refused: %s", reason);
	ok(why && strcmp(why, reason) == 0, "for this reason, not: %s", why ? why : "none");
	teardown(f);
}

static void other_features(struct virtio_saved *saved)
{
	saved->features ^= 1;
}

static void other_queues(struct virtio_saved *saved)
{
	saved->queue_count++;
}

static void status_bit(struct virtio_saved *saved)
{
	saved->status |= 0x10;
}

static void not_offered(struct virtio_saved *saved)
{
	saved->driver_features |= UINT64_C(1) << 63;
}

static void without_features_ok(struct virtio_saved *saved)
{
	saved->status &= (uint8_t)~8;
}

static void queue_outside(struct virtio_saved *saved)
{
	saved->queues[0].device = UINT64_C(1) << 40;
}

static void queue_size(struct virtio_saved *saved)
{
	saved->queues[0].size = 1 << 30;
}

static void nothing_held(struct virtio_saved *saved)
{
	saved->queues[0].is_held = true;
}

static void held_by_no_queue(struct virtio_saved *saved)
{
	saved->queues[0].ready = false;
	saved->queues[0].is_held = true;
}

static void other_capacity(struct virtio_saved *saved)
{
	saved->capacity++;
}

static void event(struct virtio_saved *saved)
{
	saved->ports[0].pending = 1u << VIRTIO_CONSOLE_PORT_NAME;
}

#define QUEUE "a queue's size, addresses or position are not valid"
#define HELD  "a request that it had taken is not in its queue"

static void test_refused(void)
{
	refused(VIRTIO_ID_ENTROPY, other_features, "it offered other features");
	refused(VIRTIO_ID_ENTROPY, other_queues, "it had another number of queues");
	refused(VIRTIO_ID_ENTROPY, status_bit,
		"Status or InterruptStatus has bits that do not exist");
	refused(VIRTIO_ID_ENTROPY, not_offered,
		"the driver accepted features that were not offered");
	refused(VIRTIO_ID_ENTROPY, without_features_ok, "a driver is at work without FEATURES_OK");
	refused(VIRTIO_ID_ENTROPY, queue_outside, QUEUE);
	refused(VIRTIO_ID_ENTROPY, queue_size, QUEUE);
	refused(VIRTIO_ID_ENTROPY, nothing_held, HELD);
	refused(VIRTIO_ID_ENTROPY, held_by_no_queue, QUEUE);
	refused(VIRTIO_ID_BLOCK, nothing_held, HELD);
	refused(VIRTIO_ID_CONSOLE, nothing_held, HELD);
	refused(VIRTIO_ID_BLOCK, other_capacity, "its configuration is not valid");
	refused(VIRTIO_ID_CONSOLE, event, "its configuration is not valid");
}

/* The progress of a request is validated against the request. */
static void test_refused_progress(void)
{
	struct fixture *f = begin(VIRTIO_ID_CONSOLE);
	struct virtio_saved saved;

	f->con_host.output_room = 1;
	ring_add_one(&f->d.rings[1], f->page, 15, false);
	driver_kick(&f->d, 1);
	virtio_save(f->d.dev, &saved);
	saved.queues[1].transferred = 16;
	is(replace(f, &saved), -EINVAL, "more progress than a request has is refused");
	teardown(f);
}

int main(void)
{
	for_each_ring_form(test_all);
	tap_prefix("");
	test_refused();
	test_refused_progress();
	return tap_done();
}
