/* SPDX-License-Identifier: BSD-2-Clause */
/* Features of devices: those that each type offers, and those that a driver may accept. */
#include <string.h>

#include "../virtio_fixture.h"

static void test_offered(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		uint64_t features = driver_offered(&f->d);

		is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_ID), types[i].type, "%s is itself",
			types[i].name);
		is(features, types[i].features,
			"BASE-DEV-07 (2.2.2) %s offers what it can do and no more", types[i].name);
		ok(features & 1ull << 32, "RES-DEV-01 (6.2) %s offers VERSION_1", types[i].name);
		ok(!(features & 1ull << 37), "RES-DEV-04 (6.2) no SR_IOV");
		ok(!(features & 1ull << 41), "RES-DEV-05 (4.2.5) no ADMIN_VQ");
		ok(!(features & 1ull << 39), "RES-DEV-06 (6) no NOTIF_CONFIG_DATA");
		/* Block's CONFIG_WCE needs FLUSH (5.2.5.2); the other bits of these types, and
		 * those of rings and transport, stand alone. */
		ok(types[i].type != VIRTIO_ID_BLOCK || !(features & 1 << 11) || features & 1 << 9,
			"BASE-DEV-08 (2.2.2) nothing whose prerequisite is missing");
		teardown(f);
	}
}

/* Up to the first that does not exist. */
static void test_queue_sizes(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		unsigned queues = 0, good = 0;
		uint32_t size;

		for (;; queues++) {
			reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, queues);
			size = reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX);
			if (size == 0)
				break;
			good += size <= VIRTQ_SIZE_LIMIT && (size & (size - 1)) == 0;
		}
		is(queues, f->d.dev->queue_count, "%s has its queues", types[i].name);
		is(good, queues,
			"SPLIT-DEV-19 (2.7) of which each allows a power of two up to 32768");
		teardown(f);
	}
}

static void test_offer(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	unsigned right = 0, subsets = 0;

	const uint64_t all = QUEUES | MORE_QUEUES;

	for (uint64_t subset = all;; subset = (subset - 1) & all) {
		subsets++;
		virtio_offer(f->d.dev, subset);
		right += driver_offered(&f->d) == (subset | VERSION_1) &&
			 driver_negotiate(&f->d, subset);
		for (unsigned bit = 0; bit < 64; bit++)
			right -=
				all & ~subset & 1ull << bit && driver_negotiate(&f->d, 1ull << bit);
		if (subset == 0)
			break;
	}
	is(right, subsets,
		"BASE-DEV-08 (2.2.2) of the queues' features any set can be offered, and no other "
		"is accepted");
	teardown(f);
}

/* A reset, and the same memory is read in another way. */
static void test_forms(void)
{
	static const uint64_t forms[] = {0, PACKED, PACKED | EVENT_IDX, EVENT_IDX, PACKED, 0};
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	gpa_t mark = f->d.ram.next;

	virtio_offer(f->d.dev, VIRTIO_QUEUE_FEATURES);
	for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
		unsigned good = 0;

		f->d.ram.next = mark;
		memset(ram_at(&f->d.ram, mark), 0, 8192);
		driver_start(&f->d, forms[i]);
		for (unsigned n = 0; n < 3 * DRIVER_QUEUE_SIZE / 2; n++) {
			uint16_t head = ring_add_one(f->ring, f->page, 16, true);
			struct used used;

			driver_kick(&f->d, 0);
			good += ring_take(f->ring, &used) && used.id == head && used.len == 16;
		}
		is(good, 3 * DRIVER_QUEUE_SIZE / 2, "RES-DEV-08 (6) a queue is %s after a reset",
			forms[i] & PACKED ? "packed" : "split");
	}
	teardown(f);
}

static void test_unacceptable(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		unsigned refused = 0, unoffered = 0;

		for (unsigned bit = 0; bit < 64; bit++) {
			if (types[i].features & 1ull << bit)
				continue;
			unoffered++;
			refused += !driver_negotiate(&f->d, 1ull << bit);
		}
		is(refused, unoffered,
			"BASE-DEV-03 (2.2.2) %s refuses each of the %u bits it did not offer",
			types[i].name, unoffered);

		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xb);
		is(driver_status(&f->d), 3,
			"RES-DEV-03 (6.2) %s refuses a driver without VERSION_1", types[i].name);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xf);
		is(driver_status(&f->d), 3, "RES-DEV-03 (6.2) which does not get it going either");
		is(f->d.host.live_on, 0, "RES-DEV-03 (6.2) at all");
		teardown(f);
	}
}

static void test_acceptable(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		uint64_t own = types[i].features & ~VERSION_1;
		unsigned good = 0, subsets = 0;
		gpa_t mark = f->d.ram.next;

		/* All subsets of own, by the usual trick. */
		for (uint64_t subset = own;; subset = (subset - 1) & own) {
			subsets++;
			f->d.ram.next = mark;
			good += driver_start(&f->d, subset) &&
				f->d.dev->driver_features == (subset | VERSION_1);
			if (subset == 0)
				break;
		}
		is(good, subsets, "BASE-DEV-13 (2.2.2) %s accepts every subset of its features",
			types[i].name);

		good = 0;
		for (unsigned n = 0; n < 100; n++) {
			f->d.ram.next = mark;
			good += driver_start(&f->d, own);
		}
		is(good, 100, "BASE-DEV-14 (2.2.2) %s accepts the same set again and again",
			types[i].name);
		is(f->d.host.live_on, f->d.host.live_off + 1,
			"each reset undid what DRIVER_OK did");
		teardown(f);
	}
}

int main(void)
{
	test_offered();
	test_queue_sizes();
	test_offer();
	test_forms();
	test_unacceptable();
	test_acceptable();
	return tap_done();
}
