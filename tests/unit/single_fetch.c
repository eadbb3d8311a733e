/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device fetches each guest value once, validates the copy and uses the copy (HARD-08): a
 * second fetch might see another value. Guest memory is protected while the device works, so that
 * each load faults. The handler notes the load and lets this one pass by the processor's single
 * step.
 */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <vole/virtio_blk.h>
#include <vole/virtio_console.h>

#include "../driver.h"
#include "../queue.h"
#include "../ring_forms.h"
#include "../tap.h"
#include "block.h"
#include "console.h"

#define PACKED    VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define INDIRECT  VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)

/* --- loads ------------------------------------------------------------------------------------ */

#define LOADS_MAX 256

/* Where they begin. */
struct loads {
	unsigned count;
	gpa_t at[LOADS_MAX];
};

/* For the handlers, which may interrupt the thread sanitizer's own code. */
static struct loads seen;
static uint8_t *watched; /* guest memory */

#define HANDLER __attribute__((no_sanitize("thread")))

#define WRITE_FAULT 2     /* error code of a page fault; Intel SDM 3, 4.7 */
#define TRAP_FLAG   0x100 /* EFLAGS.TF: a debug exception after the next instruction; 17.3.1.4 */

HANDLER static void protect(int protection)
{
	if (mprotect(watched, RAM_END, protection) < 0)
		abort();
}

HANDLER static void load_begins(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint8_t *at = info->si_addr;

	(void)number;
	if (at < watched || at >= watched + RAM_END)
		abort();
	if (!(registers[REG_ERR] & WRITE_FAULT) && seen.count < LOADS_MAX)
		seen.at[seen.count++] = (gpa_t)(at - watched);
	protect(PROT_READ | PROT_WRITE);
	registers[REG_EFL] |= TRAP_FLAG;
}

HANDLER static void load_ends(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number;
	(void)info;
	registers[REG_EFL] &= ~TRAP_FLAG;
	protect(PROT_NONE);
}

static void watch(struct ram *ram)
{
	struct sigaction begins = {.sa_sigaction = load_begins, .sa_flags = SA_SIGINFO};
	struct sigaction ends = {.sa_sigaction = load_ends, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &begins, NULL);
	sigaction(SIGTRAP, &ends, NULL);
	watched = ram->bytes;
	seen.count = 0;
	protect(PROT_NONE);
}

static void unwatch(void)
{
	protect(PROT_READ | PROT_WRITE);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
}

static void expect(struct loads *loads, gpa_t at)
{
	assert(loads->count < LOADS_MAX);
	loads->at[loads->count++] = at;
}

static int compare(const void *a, const void *b)
{
	const gpa_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Whether the loads that were seen in len bytes from gpa on are these, each of them once. */
static bool loaded(gpa_t gpa, uint64_t len, struct loads *expected)
{
	struct loads inside = {0};

	for (unsigned i = 0; i < seen.count; i++)
		if (seen.at[i] >= gpa && seen.at[i] - gpa < len)
			expect(&inside, seen.at[i]);
	qsort(inside.at, inside.count, sizeof inside.at[0], compare);
	qsort(expected->at, expected->count, sizeof expected->at[0], compare);
	return inside.count == expected->count && seen.count < LOADS_MAX &&
	       memcmp(inside.at, expected->at, inside.count * sizeof inside.at[0]) == 0;
}

/* --- rings ------------------------------------------------------------------------------------ */

#define SIZE     8
#define ELEMENTS 3

/* The thread sanitizer's own code does an atomic load that acquires, and does it twice. */
#ifdef __SANITIZE_THREAD__
#define ACQUIRES 2
#else
#define ACQUIRES 1
#endif

static void expect_acquire(struct loads *loads, gpa_t at)
{
	for (unsigned i = 0; i < ACQUIRES; i++)
		expect(loads, at);
}

/* 16 bytes, in two words. */
static void expect_copy(struct loads *loads, gpa_t at)
{
	expect(loads, at);
	expect(loads, at + 8);
}

/* A descriptor of a packed ring: its flags, then address, length and id. */
static void expect_slot(struct loads *loads, gpa_t at)
{
	expect_acquire(loads, at + offsetof(struct virtq_packed_desc, flags));
	expect(loads, at);
	expect(loads, at + offsetof(struct virtq_packed_desc, len));
	expect(loads, at + offsetof(struct virtq_packed_desc, id));
}

static struct loads expected_of_pop(struct queue *q)
{
	bool packed = q->features & PACKED, indirect = q->features & INDIRECT;
	struct loads expected = {0};
	struct virtq_desc first;

	memcpy(&first, ram_at(&q->ram, q->ring.desc), sizeof first);
	if (!packed) {
		expect_acquire(&expected, q->ring.avail + offsetof(struct virtq_avail, idx));
		expect(&expected, q->ring.avail + offsetof(struct virtq_avail, ring));
	}
	for (unsigned i = 0; i < (indirect ? 1 : ELEMENTS); i++) {
		gpa_t at = q->ring.desc + i * sizeof first;

		if (packed)
			expect_slot(&expected, at);
		else
			expect_copy(&expected, at);
	}
	for (unsigned i = 0; i < (indirect ? ELEMENTS : 0); i++)
		expect_copy(&expected, le64_to_cpu(first.addr) + i * sizeof first);
	return expected;
}

static void test_ring(uint64_t features, const char *name)
{
	struct queue *q = queue_new(SIZE, features);
	struct buffer buffers[ELEMENTS] = {
		{q->page, 16, false}, {q->page + 64, 16, true}, {q->page + 128, 16, true}};
	struct loads expected, event = {0};
	struct chain chain;
	int got;

	ring_add(&q->ring, buffers, ELEMENTS);
	expected = expected_of_pop(q);
	watch(&q->ram);
	got = virtq_pop(&q->vq, &chain);
	unwatch();
	is(got, 1, "%s: a chain of %u", name, ELEMENTS);
	ok(loaded(0, RAM_END, &expected), "HARD-08 %s: all that is said of it is loaded once",
		name);

	expect(&event, q->ring.avail + (features == EVENT_IDX ? (gpa_t)VIRTQ_USED_EVENT(SIZE) : 0));
	virtq_push(&q->vq, &chain, 0);
	watch(&q->ram);
	virtq_publish(&q->vq);
	unwatch();
	ok(loaded(0, RAM_END, &event), "HARD-08 %s: and one, whether an interrupt is wanted", name);
	queue_free(q);
}

/* --- what devices are asked for --------------------------------------------------------------- */

#define HEADER sizeof(struct virtio_blk_req)

struct disk {
	struct driver d;
	struct fake_block host;
	struct virtio_block blk;
	gpa_t page; /* for a request, its header first */
};

static void disk_begin(struct disk *disk, uint64_t features, uint32_t type)
{
	const struct virtio_blk_req header = {cpu_to_le32(type), {0}, {0}};

	driver_init(&disk->d);
	fake_block_init(&disk->host);
	virtio_block_init(&disk->blk, &disk->host.backend, 1, &disk->d.ram.gmem, &driver_host_ops,
		&disk->d.host);
	driver_attach(&disk->d, &disk->blk.dev);
	driver_start(&disk->d, features);
	disk->page = ram_alloc(&disk->d.ram, 4096, 4096);
	memcpy(ram_at(&disk->d.ram, disk->page), &header, sizeof header);
}

/* Watched. */
static void disk_serve(struct disk *disk, const struct buffer *buffers, unsigned count)
{
	ring_add(&disk->d.rings[0], buffers, count);
	watch(&disk->d.ram);
	driver_kick(&disk->d, 0);
	unwatch();
}

static void test_ranges(void)
{
	const struct virtio_blk_discard_write_zeroes ranges[2] = {
		{cpu_to_le64(1), cpu_to_le32(1), {0}}, {cpu_to_le64(3), cpu_to_le32(2), {0}}};
	const gpa_t len = HEADER + sizeof ranges;
	struct loads expected = {0};
	struct disk disk;

	disk_begin(&disk, VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES), VIRTIO_BLK_T_WRITE_ZEROES);
	memcpy(ram_at(&disk.d.ram, disk.page + HEADER), ranges, sizeof ranges);
	for (gpa_t at = disk.page; at < disk.page + len; at += 16)
		expect_copy(&expected, at);
	disk_serve(&disk,
		(struct buffer[]){{disk.page, HEADER, false},
			{disk.page + HEADER, sizeof ranges, false}, {disk.page + 512, 1, true}},
		3);
	is(disk.host.zeroings, 2, "a write of zeroes to two ranges");
	ok(loaded(disk.page, len, &expected), "HARD-08 header and ranges are loaded once");
	driver_free(&disk.d);
}

/* In more steps than one. */
static void test_header(void)
{
	struct loads expected = {0};
	struct disk disk;

	disk_begin(&disk, 0, VIRTIO_BLK_T_IN);
	disk.host.max = 512;
	expect_copy(&expected, disk.page);
	disk_serve(&disk,
		(struct buffer[]){{disk.page, HEADER, false}, {disk.page + 512, 2048 + 1, true}},
		2);
	is(disk.host.reads, 4, "a read of four sectors, one at a time");
	ok(loaded(disk.page, 512, &expected), "HARD-08 the header is loaded once");
	driver_free(&disk.d);
}

static void test_message(void)
{
	const struct virtio_console_control message = {
		{0}, cpu_to_le16(VIRTIO_CONSOLE_DEVICE_READY), cpu_to_le16(1)};
	const unsigned queue = VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT;
	struct loads expected = {0};
	struct fake_console host;
	struct virtio_console con;
	struct driver d;
	gpa_t page;

	driver_init(&d);
	fake_console_init(&host, 0, 0);
	virtio_console_init(&con, &(struct console_port_host){&host.backend, NULL}, 1, true,
		&d.ram.gmem, &driver_host_ops, &d.host);
	driver_attach(&d, &con.dev);
	driver_start(&d, VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT));
	page = ram_alloc(&d.ram, 4096, 4096);
	memcpy(ram_at(&d.ram, page), &message, sizeof message);
	ring_add_one(&d.rings[queue], page, sizeof message, false);
	expect(&expected, page);
	watch(&d.ram);
	driver_kick(&d, queue);
	unwatch();
	ok(con.control.ports[0].pending, "a message that is obeyed");
	ok(loaded(page, 4096, &expected), "HARD-08 it is loaded once");
	driver_free(&d);
}

static void test_devices(void)
{
	test_ranges();
	test_header();
	test_message();
}

int main(void)
{
	test_ring(0, "split");
	test_ring(EVENT_IDX, "split, event index");
	test_ring(INDIRECT, "split, indirect");
	test_ring(PACKED, "packed");
	test_ring(PACKED | EVENT_IDX, "packed, event index");
	test_ring(PACKED | INDIRECT, "packed, indirect");
	for_each_ring_form(test_devices);
	return tap_done();
}
