/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays the device to the library's queues, in memory, to have them see what vole's devices do not
 * do: requests reported as one where they are in order, kicks wanted at each position of the ring,
 * ids that were never made available, more bytes than there is room for. And a disk whose
 * configuration is nonsense. Exit status 0.
 */

#include <vole/virtio_mmio.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "error.h"
#include "memory.h"
#include "virtq.h"
#include "x86.h"

#define SIZE 8  /* of the queue, as the device has it */
#define LAPS 3  /* of the ring: the wrap counter is to come back */
#define LEN  10 /* of each buffer */
#define PIN  23 /* of the IOAPIC: nothing else has it */

static struct mmio dev;
static struct virtq vq;
static uint8_t bytes[LEN];
static struct virtq_buffer buffers[2] = {{bytes, LEN}, {bytes, LEN}};
static char requests[SIZE];
static struct virtq_position next; /* packed: next slot to give back in */
static uint16_t used_idx;          /* split */

static void begin(uint64_t features)
{
	dev.features = features;
	atomic_store(&dev.failed, false);
	virtq_init(&vq, &dev, 0, SIZE);
	next = (struct virtq_position){0, true};
	used_idx = 0;
	mmio_write(&dev, VIRTIO_MMIO_QUEUE_NOTIFY, UINT32_MAX);
}

static bool is_packed(void)
{
	return mmio_has_feature(&dev, VIRTIO_F_RING_PACKED);
}

static const char *form(void)
{
	return is_packed() ? "packed" : "split";
}

static struct virtq_position after(struct virtq_position at, unsigned slots)
{
	at.wrap ^= at.slot + slots >= SIZE;
	at.slot = (at.slot + slots) % SIZE;
	return at;
}

/* This id and length, for as many requests, which have as many slots. */
static void give_back(uint32_t id, uint32_t len, unsigned count, unsigned slots)
{
	struct virtq_packed_desc *desc = &vq.packed.ring[next.slot];
	uint16_t flags = next.wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0;

	if (is_packed()) {
		desc->id = cpu_to_le16(id);
		desc->len = cpu_to_le32(len);
		atomic_store(&desc->flags.raw, cpu_to_le16(flags | VIRTQ_DESC_F_WRITE).raw);
		next = after(next, slots);
	} else {
		vq.split.used->ring[used_idx % SIZE] =
			(struct virtq_used_elem){cpu_to_le32(id), cpu_to_le32(len)};
		used_idx += count;
		atomic_store(&vq.split.used->idx.raw, cpu_to_le16(used_idx).raw);
	}
}

/* A request of one or two buffers; its id. */
static uint32_t add(unsigned i, unsigned count)
{
	check(virtq_add(&vq, buffers, 0, count, &requests[i]) == 0, "%s: there is room", form());
	return vq.ids[(uint16_t)(vq.added - 1) % SIZE];
}

static void expect(unsigned i, uint32_t len)
{
	uint32_t found = UINT32_MAX;

	check(virtq_pending(&vq), "%s: request %u is pending", form(), i);
	check(virtq_take(&vq, &found) == &requests[i], "%s: request %u is taken", form(), i);
	check(found == len, "%s: request %u has %u bytes, not %u", form(), i, found, len);
}

/* Requests of 1, 2, 1 and 2 buffers: the first three come back as one, then the fourth. */
static void check_batches(uint64_t features)
{
	const unsigned pair = features & FEATURE(VIRTIO_F_INDIRECT_DESC) ? 1 : 2;

	begin(features | FEATURE(VIRTIO_F_IN_ORDER));
	for (unsigned lap = 0; lap < LAPS * SIZE; lap++) {
		uint32_t third, fourth;

		add(0, 1);
		add(1, 2);
		third = add(2, 1);
		fourth = add(3, 2);
		check(!virtq_pending(&vq), "%s: nothing is used", form());
		give_back(third, 7, 3, 1 + pair + 1);
		expect(0, LEN);
		expect(1, 2 * LEN);
		expect(2, 7);
		check(!virtq_pending(&vq), "%s: the fourth is not used", form());
		give_back(fourth, 8, 1, pair);
		expect(3, 8);
		check(vq.free_count == SIZE, "%s: all is free again", form());
	}
}

/* The other way round: the last comes back first. */
static void check_out_of_order(uint64_t features)
{
	begin(features);
	for (unsigned lap = 0; lap < LAPS * SIZE; lap++) {
		uint32_t first = add(0, 1), second = add(1, 2), third = add(2, 1);

		give_back(third, 3, 1, 1);
		give_back(second, 2, 1, 2);
		expect(2, 3);
		expect(1, 2);

		/* What is free is not what the first one has. */
		check(add(3, 1) != first, "%s: an id is not given twice", form());
		give_back(first, 1, 1, 1);
		expect(0, 1);
		give_back(vq.ids[vq.taken % SIZE], 4, 1, 1);
		expect(3, 4);
	}
}

/* A full queue comes back the other way round, and is filled again: no id is there twice. */
static void check_full(uint64_t features)
{
	begin(features);
	for (unsigned lap = 0; lap < LAPS; lap++) {
		uint32_t ids[SIZE];
		unsigned seen = 0;

		for (unsigned i = 0; i < SIZE; i++) {
			ids[i] = add(i, 1);
			seen |= 1u << ids[i];
		}
		check(seen == (1u << SIZE) - 1, "%s: ids are 0x%x", form(), seen);
		check(virtq_add(&vq, buffers, 0, 1, bytes) == -ENOSPC, "%s: no room", form());
		for (unsigned i = SIZE; i--;)
			give_back(ids[i], i, 1, 1);
		for (unsigned i = SIZE; i--;)
			expect(i, i);
	}
}

/* The device wants to hear of the place so many slots from where the driver is, in a split queue of
 * so many requests. */
static void want_kick(unsigned from_here)
{
	struct virtq_position at = after(vq.packed.add, from_here);

	if (is_packed())
		atomic_store(&vq.packed.device.word.raw,
			cpu_to_le32(
				VIRTQ_EVENT_DESC << 16 | (at.wrap ? VIRTQ_EVENT_WRAP : 0) | at.slot)
				.raw);
	else
		atomic_store(&vq.split.avail_event->raw, cpu_to_le16(vq.added + from_here).raw);
}

/* Two requests, one buffer each, are told of if the device waits for the first or the second. The
 * kick says where the next will be (virtio 2.9). */
static void check_kicks(uint64_t features)
{
	begin(features | FEATURE(VIRTIO_F_EVENT_IDX) | FEATURE(VIRTIO_F_NOTIFICATION_DATA));
	for (unsigned lap = 0; lap < LAPS * SIZE; lap++) {
		for (unsigned wanted = 0; wanted < 4; wanted++) {
			uint32_t ids[2], kick, position;

			want_kick(wanted);
			mmio_write(&dev, VIRTIO_MMIO_QUEUE_NOTIFY, UINT32_MAX);
			ids[0] = add(0, 1);
			ids[1] = add(1, 1);
			virtq_kick(&vq);
			kick = mmio_read(&dev, VIRTIO_MMIO_QUEUE_NOTIFY);
			check((kick != UINT32_MAX) == (wanted < 2), "%s: kick for %u: 0x%x", form(),
				wanted, kick);
			position = is_packed() ? vq.packed.add.slot | vq.packed.add.wrap << 15
					       : vq.added;
			check(kick == UINT32_MAX || kick == position << 16,
				"%s: kick is 0x%x at 0x%x", form(), kick, position);
			for (unsigned i = 0; i < 2; i++) {
				give_back(ids[i], i, 1, 1);
				expect(i, i);
			}
		}
		/* One more, so that the next lap does it all one slot further. */
		give_back(add(0, 1), 0, 1, 1);
		expect(0, 0);
		virtq_kick(&vq);
	}
}

static void check_nonsense(uint64_t features, uint32_t id)
{
	uint32_t len;

	begin(features);
	add(0, 1);
	give_back(id, 0, 1, 1);
	check(!virtq_take(&vq, &len), "%s: id %u is refused", form(), id);
	check(atomic_load(&dev.failed), "%s: the device is known to have failed", form());
}

/* More than there is room for is not believed, now or later. */
static void check_overlong(uint64_t features)
{
	uint32_t len;

	begin(features);
	give_back(add(0, 2), 2 * LEN, 1, features & FEATURE(VIRTIO_F_INDIRECT_DESC) ? 1 : 2);
	expect(0, 2 * LEN);
	check(!atomic_load(&dev.failed), "%s: all that there is room for is fine", form());
	give_back(add(1, 1), LEN + 1, 1, 1);
	check(!virtq_take(&vq, &len), "%s: a byte more is refused", form());
	check(atomic_load(&dev.failed), "%s: the device is known to have failed", form());
	check(!virtq_take(&vq, &len), "%s: and stays refused", form());
}

/* The bits beside the mode are reserved (virtio 2.8.14), and not to be looked at. */
static void check_reserved(void)
{
	const uint32_t mode = 0xfffc | VIRTQ_EVENT_DISABLE;

	begin(FEATURE(VIRTIO_F_RING_PACKED));
	atomic_store(&vq.packed.device.word.raw, cpu_to_le32(mode << 16).raw);
	add(0, 1);
	virtq_kick(&vq);
	check(mmio_read(&dev, VIRTIO_MMIO_QUEUE_NOTIFY) == UINT32_MAX, "no kick is wanted");
}

/* --- a disk in memory: registers are whatever was written last -------------------------------- */

static struct block disk;

/* The low word of features is the high one too, where all that counts is bit 32, VERSION_1. */
static void begin_disk(uint32_t size_max, uint8_t exponent)
{
	struct mmio page = {.base = (uint32_t)pages_take(1)};
	uint32_t config = page.base + VIRTIO_MMIO_CONFIG;

	mmio_write(&page, VIRTIO_MMIO_MAGIC_VALUE, VIRTIO_MMIO_MAGIC);
	mmio_write(&page, VIRTIO_MMIO_VERSION, VIRTIO_MMIO_VERSION_VALUE);
	mmio_write(&page, VIRTIO_MMIO_DEVICE_ID, VIRTIO_ID_BLOCK);
	mmio_write(&page, VIRTIO_MMIO_QUEUE_SIZE_MAX, SIZE);
	mmio_write(&page, VIRTIO_MMIO_DEVICE_FEATURES,
		1 | 1u << VIRTIO_BLK_F_SIZE_MAX | 1u << VIRTIO_BLK_F_TOPOLOGY);
	write32(config + offsetof(struct virtio_blk_config, size_max), size_max);
	write8(config + offsetof(struct virtio_blk_config, topology_physical_block_exp), exponent);
	memset(&disk, 0, sizeof(disk));
	check(block_init(&disk, &(struct device_map_entry){page.base, PIN}) == 0, "a disk");
}

static void check_disk(void)
{
	static const struct {
		uint32_t size_max, len_max;
		uint8_t exponent;
		uint32_t unit;
	} disks[] = {
		{1024, 1024, 3, 4096},
		{1023, 512, 22, 1u << 31},
		{511, 512, 23, 512}, /* no sector fits: requests are of one all the same */
		{0, 512, 32, 512},
		{UINT32_MAX, UINT32_MAX - 511, 255, 512},
	};

	for (unsigned i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		begin_disk(disks[i].size_max, disks[i].exponent);
		check(disk.len_max == disks[i].len_max, "disk %u: pieces of %u", i, disk.len_max);
		check(disk.unit == disks[i].unit, "disk %u: units of %u", i, disk.unit);
	}
}

/* Words of a console whose device gives back nonsense go to the debug port, the fault's too. */
static void check_console_fails(void)
{
	static struct console con;
	struct virtq_used *used;

	dev.features = 0;
	atomic_store(&dev.failed, false);
	virtq_init(&con.ports[0].transmit, &dev, 0, SIZE);
	used = con.ports[0].transmit.split.used;
	used->ring[0] = (struct virtq_used_elem){cpu_to_le32(0), cpu_to_le32(1)};
	atomic_store(&used->idx.raw, cpu_to_le16(1).raw);
	printf_to(console_print, &con);
	printf("one\n");
	printf_to(NULL, NULL);
}

/* A request that comes back as one that never was ends the wait for it. */
static void check_disk_fails(void)
{
	struct block_request request;
	struct virtq_used *used;

	begin_disk(0, 0);
	check(block_submit(&disk, &request, VIRTIO_BLK_T_FLUSH, 0, NULL, 0) == 0, "a request");
	used = disk.queues[0].split.used;
	used->ring[0] = (struct virtq_used_elem){cpu_to_le32(SIZE), cpu_to_le32(1)};
	atomic_store(&used->idx.raw, cpu_to_le16(1).raw);
	check(block_wait(&request) == -EIO, "the request has failed");
}

int main(const struct start_info *info)
{
	static const uint64_t forms[] = {0, FEATURE(VIRTIO_F_RING_PACKED)};

	(void)info;
	dev.base = (uint32_t)pages_take(1);
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		check_batches(forms[i]);
		check_batches(forms[i] | FEATURE(VIRTIO_F_INDIRECT_DESC));
		check_out_of_order(forms[i]);
		check_full(forms[i]);
		check_kicks(forms[i]);
		check_nonsense(forms[i], 1);
		check_nonsense(forms[i], SIZE);
		check_nonsense(forms[i], 0xffff);
		check_overlong(forms[i]);
		check_overlong(forms[i] | FEATURE(VIRTIO_F_INDIRECT_DESC));
	}
	check_reserved();
	check_disk();
	check_disk_fails();
	check_console_fails();
	return check_done();
}
