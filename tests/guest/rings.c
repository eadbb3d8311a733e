/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uses a disk with every set of the features that concern queues, by declining the others: fills the
 * queue with requests, several times around, and looks at every byte. Each 32-bit word of the image
 * is to be its own number, as block-rw leaves it. Prints the number of sets. Exit status 0.
 */

#include "block.h"
#include "check.h"
#include "error.h"

#define ROUNDS    4
#define REQUESTS  VIRTQ_SIZE /* at most under way at once */
#define WORDS     (VIRTIO_BLK_SECTOR_SIZE / 4)
#define FEATURES  (sizeof(features) / sizeof(features[0]))
#define ALL_TABLE VIRTQ_SIZE       /* requests that a queue takes if each is one descriptor */
#define ALL_CHAIN (VIRTQ_SIZE / 3) /* if each is three */

static const unsigned features[] = {
	VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX, VIRTIO_F_NOTIFICATION_DATA};

static struct block disk;
static struct block_request requests[REQUESTS];
static uint32_t words[REQUESTS][WORDS];

/* As many as the queue takes. How many. */
static unsigned submit_all(void)
{
	unsigned count = 0;

	while (count < REQUESTS && block_submit(&disk, &requests[count], VIRTIO_BLK_T_IN, count,
					   words[count], VIRTIO_BLK_SECTOR_SIZE) == 0)
		count++;
	return count;
}

static void check_all(unsigned count)
{
	unsigned failed = 0, wrong = 0;

	for (unsigned i = 0; i < count; i++) {
		uint32_t first = i * WORDS;

		failed += block_wait(&disk, &requests[i]) != 0;
		wrong += words[i][0] != first || words[i][WORDS - 1] != first + WORDS - 1;
	}
	check(failed == 0, "features 0x%llx: %u requests fail", disk.dev.features, failed);
	check(wrong == 0, "features 0x%llx: %u sectors differ", disk.dev.features, wrong);
}

static void use(const struct device_map_entry *entry, uint64_t declined)
{
	unsigned expected;

	disk.dev.declined = declined;
	if (block_init(&disk, entry))
		power_off(1);
	check(disk.capacity >= REQUESTS, "the disk has a sector for each request");
	check(!(disk.dev.features & declined), "what is declined is not agreed on");
	expected = mmio_has_feature(&disk.dev, VIRTIO_F_INDIRECT_DESC) ? ALL_TABLE : ALL_CHAIN;
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned count = submit_all();

		check(count == expected, "features 0x%llx: %u requests fit, expected %u",
			disk.dev.features, count, expected);
		virtq_kick(&disk.vq);
		check_all(count);
		memset(words, 0xff, sizeof(words));
	}
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_BLOCK);
	unsigned sets = 0;

	for (; sets < 1u << FEATURES; sets++) {
		uint64_t declined = 0;

		for (unsigned i = 0; i < FEATURES; i++)
			if (sets & 1u << i)
				declined |= FEATURE(features[i]);
		use(entry, declined);
	}
	printf("%u sets of features\n", sets);
	return check_done();
}
