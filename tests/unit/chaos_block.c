/* SPDX-License-Identifier: BSD-2-Clause */
/* Chaos on a disk keeps to the specification for every seed: in what the device tells of itself,
 * and in the requests that fail with "errors". */
#include "../block_fixture.h"
#include "chaos.h"

#define SEEDS      100
#define SEED_LARGE 2 /* has large queues */

static struct fixture *disk_with(const struct chaos_choice *choice, unsigned queues)
{
	struct fixture *f = prepare();

	attach_queues(f, &f->host.backend, queues);
	f->blk.dev.chaos = chaos_open(choice, 0, f->blk.dev.queues, queues, 0);
	return f;
}

static void disk_free(struct fixture *f)
{
	chaos_free(f->blk.dev.chaos);
	teardown(f);
}

/* Each queue has a size of its own, and SEG_MAX holds for all of them. */
static void test_sizes(void)
{
	unsigned different = 0, fits = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct fixture *f = disk_with(&(struct chaos_choice){.on = true, .seed = seed}, 2);
		uint32_t sizes[2], segments = reg_read(&f->d, CONFIG + 12);

		driver_negotiate(&f->d, MQ);
		for (unsigned queue = 0; queue < 2; queue++) {
			reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, queue);
			sizes[queue] = reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX);
		}
		different += sizes[0] != sizes[1];
		fits += segments >= 1 && segments + 2 <= sizes[0] && segments + 2 <= sizes[1];
		disk_free(f);
	}
	ok(different > SEEDS / 8, "4.2.2 some disks have queues of different sizes");
	is(fits, SEEDS, "5.2.3 a request of seg_max segments fits into each queue");
}

/* The generation is a new one if, and only if, a field has changed; and bit 1 says so. */
static void test_hint(void)
{
	unsigned changes = 0, right = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct fixture *f = disk_with(&(struct chaos_choice){.on = true, .seed = seed}, 1);
		uint32_t hint, generation;
		bool equal = true;

		driver_start(&f->d, 0);
		hint = reg_read(&f->d, CONFIG + 28);
		generation = reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION);
		reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
		for (unsigned i = 0; i < 40; i++) {
			uint32_t bits, before = hint, old = generation;

			virtio_serve(&f->blk.dev, 0);
			bits = reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS);
			reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, bits);
			hint = reg_read(&f->d, CONFIG + 28);
			generation = reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION);
			equal &= (hint != before) == (generation != old);
			equal &= (hint != before) == !!(bits & VIRTIO_MMIO_INT_CONFIG);
			changes += hint != before;
		}
		right += equal;
		disk_free(f);
	}
	ok(changes > SEEDS, "3.2 some disks change what they suggest as size of a request");
	is(right, SEEDS, "4.2.2 the generation is a new one, and bit 1 set, if they did");
}

static void test_errors(void)
{
	unsigned errors = 0, unsupported = 0, right = 0, refused = 0;
	const unsigned count = 100;
	struct fixture *f = disk_with(
		&(struct chaos_choice){.on = true, .seed = SEED_LARGE, .errors = true}, 1);

	driver_start(&f->d, FLUSH);
	for (unsigned i = 0; i < count; i++) {
		uint8_t status;

		memset(ram_at(&f->d.ram, f->data), 0, 512);
		request(f, i % 4 == 3 ? VIRTIO_BLK_T_GET_ID : VIRTIO_BLK_T_IN, 5, 512);
		status = get_status(f);
		errors += status == VIRTIO_BLK_S_IOERR;
		unsupported += status == VIRTIO_BLK_S_UNSUPP;
		right += status != VIRTIO_BLK_S_OK || i % 4 == 3 ||
			 ram_is(&f->d.ram, f->data, 6, 512);
	}
	ok(errors > 0 && errors < count / 2, "5.2.6.2 with errors, some reads fail");
	ok(unsupported > 0 && unsupported < count / 4, "5.2.6.2 and some GET_ID");
	is(right, count, "those that do not have the disk's content");
	for (unsigned i = 0; i < count; i++) {
		request(f, 77, 0, 512);
		refused += get_status(f) == VIRTIO_BLK_S_UNSUPP;
	}
	is(refused, count, "5.2.6.2 a type that is not supported is always refused as that");
	ok(!driver_failed(&f->d), "and the device has not failed");
	disk_free(f);
}

int main(void)
{
	test_sizes();
	test_hint();
	test_errors();
	return tap_done();
}
