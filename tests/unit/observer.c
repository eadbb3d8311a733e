/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The observer of writes (gmem.h): devices change no byte of guest memory that it was not told of
 * before. The guest may run between any two passes of a device, so what it was told in one does
 * not count in the next, above all for chains that a device holds meanwhile.
 */
#include "gmem.h"

#include <stdlib.h>
#include <string.h>

#include <vole/virtio_blk.h>
#include <vole/virtio_console.h>

#include "../driver.h"
#include "../queue.h"
#include "../ring_forms.h"
#include "../tap.h"
#include "block.h"
#include "console.h"
#include "rng.h"

#define PAGE 4096

/* Memory as it was when the pass began, and what the observer was told since then. */
struct watch {
	struct ram *ram;
	bool in_pass; /* the device is at work: all that changes is its doing */
	uint8_t *before;
	bool *told;                  /* by address */
	unsigned changed, unnoticed; /* bytes, of all passes */
	unsigned late;               /* calls that came after such a byte had changed */
};

static bool changed(const struct watch *watch, gpa_t gpa)
{
	return watch->ram->bytes[gpa] != watch->before[gpa];
}

/* Nothing is written that was not told before. */
static void check_order(struct watch *watch)
{
	if (memcmp(watch->ram->bytes, watch->before, watch->ram->next) == 0)
		return;
	for (gpa_t gpa = 0; gpa < watch->ram->next; gpa++) {
		if (changed(watch, gpa) && !watch->told[gpa]) {
			watch->late++;
			return;
		}
	}
}

static void observe(void *ctx, gpa_t gpa, uint64_t len)
{
	struct watch *watch = ctx;

	if (!watch->in_pass)
		return;
	check_order(watch);
	for (uint64_t i = 0; i < len; i++)
		watch->told[gpa + i] = true;
}

static void watch_init(struct watch *watch, struct ram *ram)
{
	*watch = (struct watch){
		.ram = ram, .before = calloc(1, RAM_END), .told = calloc(RAM_END, sizeof(bool))};
	ram->gmem.written = observe;
	ram->gmem.written_ctx = watch;
}

/* Begins a pass of the device: the guest's own stores are no news, and earlier reports do not
 * count. */
static void pass_begin(struct watch *watch)
{
	memcpy(watch->before, watch->ram->bytes, watch->ram->next);
	memset(watch->told, 0, watch->ram->next * sizeof(bool));
	watch->in_pass = true;
}

static void pass_end(struct watch *watch)
{
	watch->in_pass = false;
	for (gpa_t gpa = 0; gpa < watch->ram->next; gpa++) {
		watch->changed += changed(watch, gpa);
		watch->unnoticed += changed(watch, gpa) && !watch->told[gpa];
	}
}

/* Kick the queue and have it served, each pass by itself. */
static void serve(struct watch *watch, struct driver *driver, unsigned queue)
{
	bool again = true;

	while (again) {
		pass_begin(watch);
		again = virtio_serve(driver->dev, queue);
		pass_end(watch);
	}
}

static void back_end_is_ready(struct watch *watch, struct driver *driver)
{
	pass_begin(watch);
	virtio_backend_ready(driver->dev, 0);
	pass_end(watch);
}

/* At least so many bytes were changed, and each of them was told of. */
static void check(struct watch *watch, unsigned changed_min, const char *what)
{
	ok(watch->changed >= changed_min, "%s write guest memory", what);
	is(watch->unnoticed, 0, "%s: the observer is told of each of them", what);
	is(watch->late, 0, "%s: before it is written", what);
	watch->changed = watch->unnoticed = watch->late = 0;
}

/* The driver takes all that came back, and asks for interrupts again and for none in turn. */
static void drain(struct ring *ring, bool want)
{
	struct used used;

	while (ring_take(ring, &used))
		;
	ring_want_interrupts(ring, want);
}

static void watch_free(struct watch *watch)
{
	free(watch->before);
	free(watch->told);
}

/* --- a queue ---------------------------------------------------------------------------------- */

/* Each function is a pass of its own: between any two the guest may run. */
static void use_queue(struct watch *watch, struct queue *queue)
{
	struct virtq *vq = &queue->vq;
	struct chain chain;

	pass_begin(watch);
	virtq_silence(vq);
	pass_end(watch);
	pass_begin(watch);
	virtq_pop(vq, &chain);
	pass_end(watch);
	pass_begin(watch);
	virtq_push(vq, &chain, 8);
	pass_end(watch);
	pass_begin(watch);
	virtq_publish(vq);
	pass_end(watch);
	pass_begin(watch);
	virtq_listen(vq);
	pass_end(watch);
}

/* In every format; sizes let both wrap counters of a packed ring occur. */
static void test_queue(void)
{
	struct queue *queue = queue_new(8, driver_ring_form);
	struct watch watch;

	watch_init(&watch, &queue->ram);
	for (unsigned round = 0; round < 40; round++) {
		ring_add_one(&queue->ring, queue->page, 8, true);
		use_queue(&watch, queue);
		drain(&queue->ring, round % 3 != 0);
	}
	check(&watch, 40, "queue: its functions");
	queue_free(queue);
	watch_free(&watch);
}

/* --- block ------------------------------------------------------------------------------------ */

struct disk_fixture {
	struct driver d;
	struct watch watch;
	struct fake_block host;
	struct virtio_block blk;
	gpa_t page;
};

/* Header and status of request number i are in a page of its own, and data follows. */
static void submit(struct disk_fixture *f, unsigned i, uint32_t type, uint32_t len, bool write)
{
	gpa_t page = f->page + i * PAGE;
	struct virtio_blk_req header = {
		cpu_to_le32(type), cpu_to_le32(0), cpu_to_le64(i % FAKE_DISK_SECTORS)};
	const struct buffer buffers[] = {
		{page, sizeof header, false}, {page + 64, len, write}, {page + 32, 1, true}};
	const struct buffer bare[] = {buffers[0], buffers[2]};

	memset(ram_at(&f->d.ram, page), 0, PAGE);
	memset(ram_at(&f->d.ram, page + 32), 0xff, 1);
	memcpy(ram_at(&f->d.ram, page), &header, sizeof header);
	if (len > 0)
		ring_add(&f->d.rings[0], buffers, 3);
	else
		ring_add(&f->d.rings[0], bare, 2);
}

static struct disk_fixture *disk_new(void)
{
	struct disk_fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	watch_init(&f->watch, &f->d.ram);
	fake_block_init(&f->host);
	virtio_block_init(
		&f->blk, &f->host.backend, 1, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->blk.dev);
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_BLK_F_FLUSH));
	f->page = ram_alloc(&f->d.ram, 4 * PAGE, PAGE);
	return f;
}

/* More than the ring has places, so that it wraps. */
static void test_disk(void)
{
	struct disk_fixture *f = disk_new();

	for (unsigned round = 0; round < 3 * DRIVER_QUEUE_SIZE; round++) {
		submit(f, 0, VIRTIO_BLK_T_IN, 512, true);
		submit(f, 1, VIRTIO_BLK_T_OUT, 512, false);
		submit(f, 2, VIRTIO_BLK_T_GET_ID, 20, true);
		serve(&f->watch, &f->d, 0);
		drain(&f->d.rings[0], round % 3 != 0);
	}
	check(&f->watch, 3 * DRIVER_QUEUE_SIZE * 512, "block: requests");
	driver_free(&f->d);
	watch_free(&f->watch);
	free(f);
}

/* A flush ends the pass, when the read behind it has been popped: the next pass writes its data. */
static void test_held_request(void)
{
	struct disk_fixture *f = disk_new();

	submit(f, 0, VIRTIO_BLK_T_FLUSH, 0, false);
	submit(f, 1, VIRTIO_BLK_T_IN, 512, true);
	pass_begin(&f->watch);
	ok(virtio_serve(f->d.dev, 0), "block: a read is held for the next pass");
	pass_end(&f->watch);
	is(*(uint8_t *)ram_at(&f->d.ram, f->page + PAGE + 64), 0, "block: it has written nothing");
	serve(&f->watch, &f->d, 0);
	check(&f->watch, 512, "block: a held request");
	driver_free(&f->d);
	watch_free(&f->watch);
	free(f);
}

/* --- entropy ---------------------------------------------------------------------------------- */

static void test_rng(void)
{
	struct driver d;
	struct watch watch;
	struct fake_rng host;
	struct virtio_rng rng;
	gpa_t page;

	driver_init(&d);
	watch_init(&watch, &d.ram);
	fake_rng_init(&host);
	virtio_rng_init(&rng, &host.backend, &d.ram.gmem, &driver_host_ops, &d.host);
	driver_attach(&d, &rng.dev);
	driver_start(&d, 0);
	page = ram_alloc(&d.ram, PAGE, PAGE);
	for (unsigned round = 0; round < 3 * DRIVER_QUEUE_SIZE; round++) {
		ring_add_one(&d.rings[0], page, 64, true);
		serve(&watch, &d, 0);
		drain(&d.rings[0], round % 3 != 0);
	}
	check(&watch, DRIVER_QUEUE_SIZE * 64, "rng: requests");

	host.left = 0;
	ring_add_one(&d.rings[0], page, 64, true);
	serve(&watch, &d, 0);
	watch.changed = 0;
	host.left = 64;
	back_end_is_ready(&watch, &d);
	check(&watch, 64, "rng: a request that waited for the host");
	driver_free(&d);
	watch_free(&watch);
}

/* --- console ---------------------------------------------------------------------------------- */

/* A buffer waits for input; and messages of the control queue, which are copies. */
static void test_console(void)
{
	static const uint8_t text[] = "a line that comes later\n";
	struct driver d;
	struct watch watch;
	struct fake_console host;
	struct virtio_console con;
	struct virtio_console_control ready = {
		.event = cpu_to_le16(VIRTIO_CONSOLE_DEVICE_READY), .value = cpu_to_le16(1)};
	gpa_t page;

	driver_init(&d);
	watch_init(&watch, &d.ram);
	fake_console_init(&host, 80, 25);
	virtio_console_init(&con, &(struct console_port_host){&host.backend, NULL}, 1, true,
		&d.ram.gmem, &driver_host_ops, &d.host);
	driver_attach(&d, &con.dev);
	driver_start(&d, 0);
	page = ram_alloc(&d.ram, 2 * PAGE, PAGE);
	for (unsigned round = 0; round < 3 * DRIVER_QUEUE_SIZE; round++) {
		ring_add_one(&d.rings[VIRTIO_CONSOLE_QUEUE_RECEIVE], page, 64, true);
		serve(&watch, &d, VIRTIO_CONSOLE_QUEUE_RECEIVE);
		memset(ram_at(&d.ram, page), 0, 64);
		host.input = text;
		host.input_len = sizeof text;
		back_end_is_ready(&watch, &d);
		drain(&d.rings[VIRTIO_CONSOLE_QUEUE_RECEIVE], round % 3 != 0);
	}
	check(&watch, 3 * DRIVER_QUEUE_SIZE * (sizeof text - 1), "console: buffers held for input");

	driver_start(&d, VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT));
	page = ram_alloc(&d.ram, 2 * PAGE, PAGE);
	memcpy(ram_at(&d.ram, page), &ready, sizeof ready);
	ring_add_one(&d.rings[VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE], page + PAGE, 64, true);
	ring_add_one(&d.rings[VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT], page, sizeof ready, false);
	serve(&watch, &d, VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT);
	serve(&watch, &d, VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE);
	check(&watch, 2, "console: messages");
	driver_free(&d);
	watch_free(&watch);
}

static void tests(void)
{
	test_queue();
	test_disk();
	test_held_request();
	test_rng();
	test_console();
}

int main(void)
{
	for_each_ring_form(tests);
	return tap_done();
}
