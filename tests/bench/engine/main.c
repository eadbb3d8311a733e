/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that is timed from outside: it says on the debug port "B name" when something begins and
 * "E name checksum" when it has ended, and whoever reads that knows the time. So engines can be
 * compared whose clocks cannot. The command line says what is done:
 *
 *	loops PERCENT [paging]        every loop of loops.c, with so many percent of its rounds
 *	block COUNT [DEPTH] [polled]  reads of 4 KiB from the first disk, one behind the other,
 *	                              DEPTH (1) made available at once
 *	rng COUNT [DEPTH] [polled]    64 random bytes a request, likewise
 *	nothing
 *
 * A guest that polls has interrupts off, and looks at the used ring until something is there.
 */

#include <stdatomic.h>

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
#define DEPTH_MAX   32

/* Intel SDM 3, 2.5 and 4.3. */
#define CR0_PG       0x80000000u
#define PAGE_PRESENT 0x1u
#define PAGE_WRITE   0x2u

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t table[1024] __attribute__((aligned(4096)));

static struct block disk;
static struct rng rng;
static struct block_request requests[DEPTH_MAX];
static uint8_t data[DEPTH_MAX][READ_LEN];

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

/* What is asked for at once, and how the guest waits for it. */
struct load {
	uint32_t count, depth;
	bool polled;
};

/* The next request that the device is done with; NULL: the device has failed. */
static void *wait_for_any(struct virtq *vq, bool polled)
{
	uint32_t written;

	if (polled)
		while (!virtq_pending(vq) && !atomic_load(&vq->dev->failed))
			cpu_relax();
	else if (virtq_wait(vq) != 0)
		return NULL;
	return virtq_take(vq, &written);
}

static void begin(struct virtq *vq, const struct load *load)
{
	if (load->polled) {
		interrupts_off();
		virtq_interrupts_off(vq);
	}
}

static int read_some(uint64_t *sector, const struct load *load)
{
	const unsigned sectors = READ_LEN / VIRTIO_BLK_SECTOR_SIZE;
	int error = 0;

	for (uint32_t i = 0; i < load->depth && !error; i++) {
		error = block_submit(
			&disk, &requests[i], VIRTIO_BLK_T_IN, *sector, data[i], READ_LEN);
		*sector += sectors;
		if (*sector + sectors > disk.capacity)
			*sector = 0;
	}
	if (error)
		return error;
	block_kick(&disk);
	for (uint32_t i = 0; i < load->depth; i++) {
		struct block_request *done = wait_for_any(&disk.queues[0], load->polled);

		if (!done || done->status != VIRTIO_BLK_S_OK)
			return -EIO;
	}
	return 0;
}

static int run_block(const struct start_info *info, const struct load *load)
{
	const struct device_map_entry *entry = find(info, VIRTIO_ID_BLOCK);
	uint64_t sector = 0;

	if (!entry || block_init(&disk, entry) != 0)
		return 1;
	begin(&disk.queues[0], load);
	printf("B block\n");
	for (uint32_t done = 0; done < load->count; done += load->depth)
		if (read_some(&sector, load) != 0)
			return 1;
	printf("E block %u\n", load->count);
	return 0;
}

static int draw_some(const struct load *load)
{
	int error = 0;

	for (uint32_t i = 0; i < load->depth && !error; i++)
		error = virtq_add(
			&rng.vq, &(struct virtq_buffer){data[i], DRAW_LEN}, 0, 1, data[i]);
	if (error)
		return error;
	virtq_kick(&rng.vq);
	for (uint32_t i = 0; i < load->depth; i++)
		if (!wait_for_any(&rng.vq, load->polled))
			return -EIO;
	return 0;
}

static int run_rng(const struct start_info *info, const struct load *load)
{
	const struct device_map_entry *entry = find(info, VIRTIO_ID_ENTROPY);

	if (!entry || rng_init(&rng, entry) != 0)
		return 1;
	begin(&rng.vq, load);
	printf("B rng\n");
	for (uint32_t done = 0; done < load->count; done += load->depth)
		if (draw_some(load) != 0)
			return 1;
	printf("E rng %u\n", load->count);
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

static bool is_load(const char *words, struct load *load)
{
	*load = (struct load){.depth = 1};
	if (!parse_number(words, &load->count, &words))
		return false;
	parse_number(words, &load->depth, &words);
	load->polled = is_word(words, "polled", &words);
	return load->depth >= 1 && load->depth <= DEPTH_MAX;
}

int main(const struct start_info *info)
{
	const char *words = info_cmdline(info);
	struct load load;
	uint32_t percent;

	if (is_word(words, "loops", &words) && parse_number(words, &percent, &words))
		return run_loops(percent, is_word(words, "paging", &words));
	if (is_word(words, "block", &words) && is_load(words, &load))
		return run_block(info, &load);
	if (is_word(words, "rng", &words) && is_load(words, &load))
		return run_rng(info, &load);
	return is_word(words, "nothing", &words) ? 0 : 1;
}
