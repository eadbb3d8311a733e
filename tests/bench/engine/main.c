/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that is timed from outside: it says on the debug port "B name" when something begins and
 * "E name checksum" when it has ended, and whoever reads that knows the time. So engines can be
 * compared whose clocks cannot. The command line says what is done:
 *
 *	loops PERCENT [paging]  every loop of loops.c, with so many percent of its rounds
 *	block COUNT             reads of 4 KiB from the first disk, one at a time
 *	rng COUNT               64 random bytes, one request at a time
 *	nothing
 */

#include "block.h"
#include "error.h"
#include "loops.h"
#include "mmio.h"
#include "printf.h"
#include "rng.h"
#include "start.h"
#include "string.h"
#include "x86.h"

#define PERCENT_MAX 100000
#define READ_LEN    4096
#define DRAW_LEN    64

/* Intel SDM 3, 2.5 and 4.3. */
#define CR0_PG       0x80000000u
#define PAGE_PRESENT 0x1u
#define PAGE_WRITE   0x2u

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t table[1024] __attribute__((aligned(4096)));

static struct block disk;
static struct rng rng;
static uint8_t data[READ_LEN];

/* Map the first 4 MiB, where all of this kernel lies, to themselves, a page of 4 KiB each. */
static void set_paging(bool on)
{
	uint32_t cr0;

	for (uint32_t i = 0; i < 1024; i++)
		table[i] = i << 12 | PAGE_PRESENT | PAGE_WRITE;
	directory[0] = (uint32_t)table | PAGE_PRESENT | PAGE_WRITE;
	__asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 = on ? cr0 | CR0_PG : cr0 & ~CR0_PG;
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
}

static int run_loops(uint32_t percent, bool paging)
{
	if (percent == 0 || percent > PERCENT_MAX)
		return 1;
	if (paging)
		set_paging(true);
	for (unsigned i = 0; i < LOOP_COUNT; i++) {
		uint64_t rounds = (uint64_t)loops[i].rounds * percent;

		divide64(&rounds, 100);
		printf("B %s\n", loops[i].name);
		printf("E %s %08x\n", loops[i].name, loops[i].run((uint32_t)rounds));
	}
	if (paging)
		set_paging(false);
	return 0;
}

/* The first device of this kind. */
static const struct device_map_entry *find(const struct start_info *info, uint32_t id)
{
	for (uint32_t i = 0; i < info->dev_size; i++)
		if (mmio_probe(&info_devices(info)[i]) == id)
			return &info_devices(info)[i];
	return NULL;
}

static int run_block(const struct start_info *info, uint32_t count)
{
	const unsigned sectors = READ_LEN / VIRTIO_BLK_SECTOR_SIZE;
	const struct device_map_entry *entry = find(info, VIRTIO_ID_BLOCK);
	uint64_t sector = 0;

	if (!entry || block_init(&disk, entry) != 0)
		return 1;
	printf("B block\n");
	for (uint32_t i = 0; i < count; i++) {
		if (block_read(&disk, sector, data, sectors) != 0)
			return 1;
		sector += sectors;
		if (sector + sectors > disk.capacity)
			sector = 0;
	}
	printf("E block %u\n", count);
	return 0;
}

static int run_rng(const struct start_info *info, uint32_t count)
{
	const struct device_map_entry *entry = find(info, VIRTIO_ID_ENTROPY);

	if (!entry || rng_init(&rng, entry) != 0)
		return 1;
	printf("B rng\n");
	for (uint32_t i = 0; i < count; i++)
		if (rng_read(&rng, data, DRAW_LEN) != 0)
			return 1;
	printf("E rng %u\n", count);
	return 0;
}

/* Whether words begin with word and a space, or end with it; *rest is behind it. */
static bool is_word(const char *words, const char *word, const char **rest)
{
	while (*word && *words == *word) {
		words++;
		word++;
	}
	if (*word || (*words && *words != ' '))
		return false;
	*rest = *words ? words + 1 : words;
	return true;
}

int main(const struct start_info *info)
{
	const char *words = info_cmdline(info);
	uint32_t count;

	if (is_word(words, "loops", &words) && parse_number(words, &count, &words))
		return run_loops(count, is_word(words, "paging", &words));
	if (is_word(words, "block", &words) && parse_number(words, &count, NULL))
		return run_block(info, count);
	if (is_word(words, "rng", &words) && parse_number(words, &count, NULL))
		return run_rng(info, count);
	return is_word(words, "nothing", &words) ? 0 : 1;
}
