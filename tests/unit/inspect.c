/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device tells of itself to those who look why a guest waits, with each form of ring. */
#include "inspect.h"

#include <stdlib.h>
#include <string.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"
#include "rng.h"

struct fixture {
	struct driver d;
	struct virtio_rng rng;
	struct fake_rng host;
	gpa_t page;
	struct virtio_view view;
};

static struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_rng_init(&f->host);
	virtio_rng_init(&f->rng, &f->host.backend, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->rng.dev);
	f->page = ram_alloc(&f->d.ram, 4096, 4096);
	return f;
}

static void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

static const struct virtq_view *look(struct fixture *f)
{
	memset(&f->view, 0xaa, sizeof f->view);
	virtio_inspect(f->d.dev, &f->view);
	return &f->view.queues[0];
}

static void test_phases(void)
{
	struct fixture *f = setup();
	const struct virtq_view *queue = look(f);

	ok(strcmp(f->view.name, "rng") == 0 && f->view.status == 0 && f->view.queue_count == 1 &&
			queue->exists && !queue->ready,
		"a device that nobody has touched");
	driver_negotiate(&f->d, 0);
	look(f);
	ok(!f->view.served_lately, "no queue was ever served");
	ok(f->view.status & VIRTIO_STATUS_FEATURES_OK && f->view.accepted == f->d.features &&
			!(f->view.accepted & ~f->view.offered),
		"the features that were accepted");
	driver_setup(&f->d, 0, 16);
	queue = look(f);
	ok(queue->ready && queue->size == 16 && queue->waiting == 0 && !queue->unnoticed,
		"a queue that is ready and empty");
	teardown(f);
}

static void test_unnoticed(void)
{
	struct fixture *f = setup();
	const struct virtq_view *queue;
	bool is_split;

	driver_start(&f->d, 0);
	is_split = !(f->d.features & VIRTIO_BIT(VIRTIO_F_RING_PACKED));
	ring_add_one(&f->d.rings[0], f->page, 16, true);
	ring_add_one(&f->d.rings[0], f->page + 16, 16, true);
	queue = look(f);
	ok(queue->waiting == 2 && queue->unnoticed,
		"two chains of which nobody has told the device");
	ok(queue->packed != is_split && queue->taken == 0 && queue->used == 0,
		"the device has taken none of them");
	if (is_split)
		ok(queue->available == 2 && queue->available_at == f->d.dev->queues[0].driver + 2,
			"the available ring's index, and where it is");
	ok(f->host.calls == 0, "looking does not serve them");

	driver_kick(&f->d, 0);
	queue = look(f);
	ok(f->view.served_lately, "one was served just now");
	ok(queue->waiting == 0 && !queue->unnoticed && queue->used == queue->taken &&
			queue->used != 0,
		"after a kick they are used");
	teardown(f);
}

static void test_no_work_yet(void)
{
	struct fixture *f = setup();
	const struct virtq_view *queue;

	driver_start(&f->d, 0);
	f->host.left = 0;
	ring_add_one(&f->d.rings[0], f->page, 16, true);
	driver_kick(&f->d, 0);
	queue = look(f);
	ok(!queue->unnoticed, "a chain that waits for its host is not one that nobody told of");
	teardown(f);
}

static void test_interrupts(void)
{
	struct fixture *f = setup();

	driver_start(&f->d, 0);
	ring_add_one(&f->d.rings[0], f->page, 16, true);
	driver_kick(&f->d, 0);
	look(f);
	ok(f->view.interrupt_status == VIRTIO_MMIO_INT_VRING && !f->view.taken_away,
		"an interrupt that nobody has acknowledged");
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS));
	look(f);
	ok(f->view.interrupt_status == 0 && !f->view.taken_away, "and one that somebody has");

	virtio_config_changed(f->d.dev);
	reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS);
	virtio_config_changed(f->d.dev);
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
	look(f);
	ok(f->view.taken_away, "an acknowledgement that takes away what came after the read");
	reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS);
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 0);
	look(f);
	ok(f->view.taken_away, "which the interrupt handler finds nothing of, and changes nothing");
	virtio_config_changed(f->d.dev);
	look(f);
	ok(!f->view.taken_away, "which is forgotten when the driver is notified again");

	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
	look(f);
	ok(!f->view.taken_away, "an acknowledgement without a read takes away nothing unseen");
	teardown(f);
}

/* Makes a chain available and has it served. */
static const struct virtq_view *use_one(struct fixture *f)
{
	ring_add_one(&f->d.rings[0], f->page, 16, true);
	driver_kick(&f->d, 0);
	return look(f);
}

static void set_interrupts(struct fixture *f, bool wanted)
{
	struct ring *ring = &f->d.rings[0];
	uint16_t next = f->d.dev->queues[0].split.used_shown;

	if (f->d.features & VIRTIO_BIT(VIRTIO_F_RING_PACKED))
		ring_set_driver_event(ring, wanted ? VIRTQ_EVENT_ENABLE : VIRTQ_EVENT_DISABLE,
			(struct ring_position){0});
	else if (f->d.features & VIRTIO_BIT(VIRTIO_F_EVENT_IDX))
		ring_set_used_event(ring, wanted ? next : (uint16_t)(next - 1));
	else
		ring_set_avail_flags(ring, wanted ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT);
}

static void test_unheard(void)
{
	struct fixture *f = setup();
	const struct virtq_view *queue;

	driver_start(&f->d, 0);
	ok(look(f)->all_used && !look(f)->unheard, "a queue that has not been used");
	ok(!use_one(f)->unheard, "a chain that was given back with an interrupt");
	set_interrupts(f, false);
	ok(!look(f)->unheard, "a driver that disables interrupts later");
	queue = use_one(f);
	ok(queue->unheard && queue->all_used && queue->event_idx == f->d.dev->queues[0].event_idx &&
			queue->suppression == f->d.dev->queues[0].suppression,
		"a chain that was given back without one");
	ring_add_one(&f->d.rings[0], f->page, 16, true);
	queue = look(f);
	ok(!queue->unheard && !queue->all_used, "the driver goes on, without interrupts");
	driver_kick(&f->d, 0);
	ok(!look(f)->unheard, "... and is known for that");
	set_interrupts(f, true);
	ok(!use_one(f)->unheard, "... until it has them again");
	set_interrupts(f, false);
	ok(use_one(f)->unheard, "one more without an interrupt");
	set_interrupts(f, true);
	ok(!look(f)->unheard, "... after which the driver has asked for them");
	teardown(f);
}

static void tests(void)
{
	test_phases();
	test_unnoticed();
	test_no_work_yet();
	test_interrupts();
	test_unheard();
}

/* Both rings exchanged: the driver writes where the device does. */
static void test_exchanged(void)
{
	struct fixture *f = setup();
	const struct virtq_view *queue;

	driver_start(&f->d, 0);
	*(uint8_t *)ram_at(&f->d.ram, f->d.dev->queues[0].device + 2) = 1;
	queue = look(f);
	ok(queue->used == 0 && queue->used_seen == 1 &&
			queue->used_at == f->d.dev->queues[0].device + 2,
		"somebody else has written the used ring's index");
	teardown(f);
}

static void test_busy(void)
{
	struct fixture *f = setup();

	driver_start(&f->d, 0);
	pthread_mutex_lock(&f->d.dev->lock);
	look(f);
	ok(f->view.is_busy && strcmp(f->view.name, "rng") == 0 && f->view.queue_count == 0,
		"a device whose lock is not to be had is called busy");
	pthread_mutex_unlock(&f->d.dev->lock);
	look(f);
	ok(!f->view.is_busy, "and looked at once it is");
	teardown(f);
}

int main(void)
{
	for_each_ring_form(tests);
	test_exchanged();
	test_busy();
	return tap_done();
}
