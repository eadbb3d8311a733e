/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * While a device reads requests, another CPU changes them, back and forth between what is right and
 * what is not (HARD-08); or it writes into the device's registers (HARD-28). On each queue of each
 * device, the console's control queues among them, split and packed, direct and indirect. Then
 * hostile.h has its proof. Prints the number of attacks. Exit status 0.
 */

#include <stdatomic.h>

#include <vole/virtio_blk.h>

#include "cpu.h"
#include "hostile.h"

#define ROUNDS    4  /* with fresh queues, since most of them end with a device that failed */
#define KICKS     12 /* of each */
#define WORDS_MAX 8

/* A word of memory, or a register, and what it is to be by turns. */
struct change {
	uint32_t address, values[2];
};

static struct change changes[WORDS_MAX];
static atomic_uint change_count; /* 0: the other CPU is to rest */
static atomic_uint laps;         /* of the other CPU; it counts also while it rests */

static struct virtio_blk_req header;
static uint8_t data[VIRTIO_BLK_SECTOR_SIZE], status;
static struct virtio_blk_discard_write_zeroes ranges[2];
static struct virtq_desc table[4];

/* The other CPU. */
static void change_all(void *ctx)
{
	(void)ctx;
	for (unsigned turn = 0;; turn++) {
		unsigned count = atomic_load(&change_count);

		for (unsigned i = 0; i < count; i++)
			write32(changes[i].address,
				changes[i].values[(turn >> i & 1) ^ (turn & 1)]);
		atomic_fetch_add(&laps, 1);
	}
}

static void begin_changes(unsigned count)
{
	atomic_store(&change_count, count);
}

/* When this returns the other CPU changes nothing more. */
static void end_changes(void)
{
	unsigned before;

	atomic_store(&change_count, 0);
	before = atomic_load(&laps);
	while (atomic_load(&laps) - before < 2)
		cpu_relax();
}

static void change(unsigned i, const volatile void *word, uint32_t right, uint32_t wrong)
{
	changes[i] = (struct change){(uint32_t)word, {right, wrong}};
}

/* The words of a descriptor, wherever it is: its address, its length, and its last word, in which
 * flags and the other field are. */
static unsigned change_desc(unsigned i, const void *desc)
{
	const uint32_t *words = desc;

	change(i, &words[0], words[0], 0xd0000000);
	change(i + 1, &words[2], words[2], UINT32_MAX);
	change(i + 2, &words[3], words[3], words[3] ^ 0x00070007);
	return i + 3;
}

enum aim { DESCRIPTORS, TABLE, INDICES, HEADER, RANGES, AIMS };

static const char *const aims[] = {"HARD-08 descriptors", "HARD-08 an indirect table",
	"HARD-08 indices", "HARD-08 a header", "HARD-08 ranges of sectors"};

/* What a disk takes for a read, or for zeroes to be written. */
static void submit(struct virtq *vq, enum aim aim)
{
	struct virtq_buffer buffers[] = {
		{&header, sizeof(header)}, {data, sizeof(data)}, {&status, sizeof(status)}};

	if (aim == RANGES)
		buffers[1] = (struct virtq_buffer){ranges, sizeof(ranges)};
	virtq_add(vq, buffers, aim == RANGES ? 2 : 1, aim == RANGES ? 1 : 2, &header);
}

/* As a request is that is right. */
static void set_request(enum aim aim)
{
	header = (struct virtio_blk_req){
		.type = cpu_to_le32(aim == RANGES ? VIRTIO_BLK_T_WRITE_ZEROES : VIRTIO_BLK_T_IN),
		.sector = cpu_to_le64(1),
	};
	for (unsigned i = 0; i < 2; i++)
		ranges[i] = (struct virtio_blk_discard_write_zeroes){
			cpu_to_le64(2 + i), cpu_to_le32(1), cpu_to_le32(0)};
}

/* What is to change, in a queue with one request. How many words. */
static unsigned take_aim(struct virtq *vq, enum aim aim)
{
	const uint8_t *first = vq->desc;

	switch (aim) {
	case DESCRIPTORS:
		return change_desc(change_desc(0, first), first + sizeof(struct virtq_desc));
	case TABLE:
		return change_desc(change_desc(0, &vq->tables[0]),
			(const uint8_t *)&vq->tables[0] + sizeof(struct virtq_desc));
	case INDICES:
		/* Of a packed queue, the word about interrupts and the wrap bits; else flags and
		 * idx, and the first two heads. */
		change(0, vq->driver, 1, UINT32_MAX);
		change(1, vq->driver, 0x00010000, 0x00050000);
		if (is_packed(vq->dev)) {
			change(2, first + 12, 0x00800000, 0x80800000);
			return 3;
		}
		change(2, (const uint8_t *)vq->driver + 4, 0, 0xffff0001);
		return 3;
	case HEADER:
		change(0, &header.type, VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT);
		change(1, &header.sector, 1, UINT32_MAX);
		/* To a console's control queue the first two words are a message: port, then event
		 * and value. */
		change(2, &header.reserved, VIRTIO_CONSOLE_DEVICE_READY | 1 << 16,
			VIRTIO_CONSOLE_PORT_READY | 1 << 16);
		change(3, &header.reserved, VIRTIO_CONSOLE_PORT_OPEN | 1 << 16, UINT32_MAX);
		return 4;
	default:
		change(0, &header.type, VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_DISCARD);
		change(1, &ranges[1].sector, 3, UINT32_MAX);
		change(2, &ranges[1].num_sectors, 1, UINT32_MAX);
		change(3, &ranges[1].flags, 0, UINT32_C(1) << 31);
		return 4;
	}
}

static void attack_queue(struct target *target, struct virtq *vq, enum aim aim, uint64_t declined)
{
	if ((aim == TABLE && declined & FEATURE(VIRTIO_F_INDIRECT_DESC)) ||
		(aim == RANGES && target != &targets[BLOCK]))
		return;
	for (unsigned round = 0; round < ROUNDS; round++) {
		bring_up(target, declined);
		set_request(aim);
		submit(vq, aim);
		begin_changes(take_aim(vq, aim));
		for (unsigned i = 0; i < KICKS; i++) {
			mmio_kick(vq->dev, vq->index, 0);
			submit(vq, aim);
		}
		mmio_write(vq->dev, VIRTIO_MMIO_STATUS, 0);
		end_changes();
	}
	check_aftermath(target, declined, aims[aim]);
}

/* Both CPUs at the registers. The library's driver may say that it is refused. */
static void attack_registers(struct target *target, uint64_t declined)
{
	const uint32_t base = target->dev->base;

	change(0, (void *)(base + VIRTIO_MMIO_QUEUE_SEL), 0, 1);
	change(1, (void *)(base + VIRTIO_MMIO_QUEUE_DESC_LOW), (uint32_t)table, 0xd0000000);
	change(2, (void *)(base + VIRTIO_MMIO_QUEUE_READY), 0, 1);
	change(3, (void *)(base + VIRTIO_MMIO_QUEUE_NOTIFY), 0, 1);
	change(4, (void *)(base + VIRTIO_MMIO_STATUS), VIRTIO_STATUS_DRIVER, 0);
	change(5, (void *)(base + VIRTIO_MMIO_QUEUE_SIZE), 8, UINT32_MAX);
	begin_changes(6);
	for (unsigned i = 0; i < 50; i++) {
		static const unsigned bits[] = {VIRTIO_STATUS_ACKNOWLEDGE, VIRTIO_STATUS_DRIVER,
			VIRTIO_STATUS_FEATURES_OK, VIRTIO_STATUS_DRIVER_OK};

		mmio_write(target->dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
		mmio_write(target->dev, VIRTIO_MMIO_DRIVER_FEATURES, 1);
		mmio_write(target->dev, VIRTIO_MMIO_STATUS, bits[i % 4]);
		mmio_write(target->dev, VIRTIO_MMIO_QUEUE_SEL, i % 3);
		mmio_write(target->dev, VIRTIO_MMIO_QUEUE_READY, 1);
		mmio_write(target->dev, VIRTIO_MMIO_QUEUE_NOTIFY, i % 3);
	}
	end_changes();
	check_aftermath(target, declined, "HARD-28 registers");
}

int main(const struct start_info *info)
{
	const uint64_t split = FEATURE(VIRTIO_F_RING_PACKED);
	const uint64_t direct = FEATURE(VIRTIO_F_INDIRECT_DESC);
	const uint64_t declined[] = {split | direct, split, direct, 0};

	check(cpu_run(1, change_all, NULL) == 0, "the other CPU starts");
	for (unsigned form = 0; form < sizeof(declined) / sizeof(declined[0]); form++) {
		start_targets(info, declined[form]);
		for (unsigned i = 0; i < TARGETS; i++) {
			struct target *target = &targets[i];

			for (unsigned q = 0; q < target->queue_count; q++)
				for (enum aim aim = 0; aim < AIMS; aim++)
					attack_queue(
						target, target->queues[q], aim, declined[form]);
			attack_registers(target, declined[form]);
		}
	}
	return attacks_done();
}
