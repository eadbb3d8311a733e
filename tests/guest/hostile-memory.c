/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that trusts nothing and looks at what a device writes: as soon as a chain is back, what
 * is said of it is final, and all else is as it was: descriptors, tables, buffers to be read, and
 * those to be written from the used length on. Its kicks say nonsense of how far it is, its chains
 * are often of no use, and it spoils descriptors of a request that is under way. On each queue of
 * each device, split and packed, direct and indirect. Then hostile.h has its proof. Prints the
 * number of attacks. Exit status 0.
 */

#include <vole/virtio_blk.h>

#include "hostile.h"

#define SIZE   VIRTQ_SIZE
#define CHAINS 80 /* more than a lap */
#define POISON 0xa5
#define CAP    65536 /* bytes that vole gives for one request of entropy */

static struct target *victim;
static struct mmio *dev;
static struct virtq *vq;

/* --- a chain, and what becomes of memory ------------------------------------------------------ */

/* What only the driver writes; of a packed ring, also what the device does not write now. As words,
 * since guest code is slow where KVM emulates it. */
#define AREAS     3
#define WORDS_MAX ((VIRTQ_DESC_BYTES(SIZE) + VIRTQ_AVAIL_BYTES(SIZE) + sizeof(vq->tables)) / 4)

struct area {
	const uint32_t *words;
	unsigned count;
};

static uint32_t before[WORDS_MAX];

static void find_areas(struct area areas[AREAS])
{
	unsigned driver = is_packed(dev) ? sizeof(struct virtq_event) : VIRTQ_USED_EVENT(vq->size);

	areas[0] = (struct area){vq->desc, vq->size * sizeof(struct virtq_desc) / 4};
	areas[1] = (struct area){vq->driver, driver / 4};
	/* Of the chain that was added last. */
	areas[2] = (struct area){
		(const uint32_t *)&vq->tables[vq->ids[(uint16_t)(vq->added - 1) % vq->size]],
		sizeof(vq->tables[0]) / 4};
}

static void look_before(void)
{
	struct area areas[AREAS];
	uint32_t *next = before;

	find_areas(areas);
	for (unsigned a = 0; a < AREAS; a++)
		for (unsigned i = 0; i < areas[a].count; i++)
			*next++ = areas[a].words[i];
}

/* Words that have changed since, but for those of this descriptor. */
static unsigned count_changes(const void *used)
{
	const uint32_t *next = before, *except = used;
	struct area areas[AREAS];
	unsigned changes = 0;

	find_areas(areas);
	for (unsigned a = 0; a < AREAS; a++)
		for (unsigned i = 0; i < areas[a].count; i++, next++)
			if (areas[a].words[i] != *next)
				changes += (size_t)(&areas[a].words[i] - except) >= 4;
	return changes;
}

/* The one descriptor that a used list has, in the device's lap (virtio 2.8.6). */
static const void *check_used_slot(void)
{
	const struct virtq_packed_desc *desc = &vq->packed.ring[vq->packed.take.slot];
	uint16_t used = vq->packed.take.wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0;
	uint16_t flags = atomic_load(&desc->flags.raw);

	check((flags & (VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED)) == used,
		"PACK-DEV-02 %s queue %u: used flags 0x%x", victim->name, vq->index, flags);
	return desc;
}

/* Make it available, kick with a word that is nonsense above the queue's index, and watch the ring
 * until it is back. The used length; UINT32_MAX if it is not what was given. */
static uint32_t watch(const struct virtq_buffer *buffers, unsigned readable, unsigned writable)
{
	static uint16_t nonsense;
	uint64_t begin = read_tsc();
	const void *used = NULL;
	uint32_t written = 0;
	void *back;

	nonsense += 0x7531;
	virtq_interrupts_off(vq);
	check(virtq_add(vq, buffers, readable, writable, vq) == 0, "it fits");
	look_before();
	mmio_kick(dev, vq->index, nonsense);
	while (!virtq_pending(vq) && timer_microseconds(read_tsc() - begin) < PATIENCE_US)
		cpu_relax();
	if (is_packed(dev) && virtq_pending(vq))
		used = check_used_slot();
	check(count_changes(used) == 0,
		"SPLIT-DEV-04 PACK-DEV-03 %s queue %u: only what is used was written", victim->name,
		vq->index);
	back = virtq_take(vq, &written);
	check(back == vq, "MMIO-DEV-13 HARD-23 %s queue %u: the chain comes back, once",
		victim->name, vq->index);
	return back == vq ? written : UINT32_MAX;
}

static bool is_poison(const uint8_t *bytes, uint32_t len)
{
	while (len && bytes[len - 1] == POISON)
		len--;
	return !len;
}

/* --- what is of use --------------------------------------------------------------------------- */

/* A request of up to three buffers, cut in one of several ways. */
static void read_sector(unsigned way)
{
	static struct virtio_blk_req header;
	static uint8_t writable[VIRTIO_BLK_SECTOR_SIZE + 1];
	uint8_t *bytes = (uint8_t *)&header;
	struct virtq_buffer whole[] = {
		{&header, 16}, {writable, sizeof(writable) - 1}, {&writable[512], 1}};
	struct virtq_buffer glued[] = {{&header, 16}, {writable, sizeof(writable)}};
	struct virtq_buffer split[] = {{bytes, 5}, {bytes + 5, 11}, {writable, sizeof(writable)}};
	uint32_t written;

	header = (struct virtio_blk_req){.type = cpu_to_le32(VIRTIO_BLK_T_IN)};
	memset(writable, POISON, sizeof(writable));
	written = way == 0   ? watch(whole, 1, 2)
		  : way == 1 ? watch(glued, 1, 1)
			     : watch(split, 2, 1);
	check(written == sizeof(writable) && writable[512] == VIRTIO_BLK_S_OK && !writable[0] &&
			!writable[511],
		"SPLIT-DEV-05 PACK-DEV-20 HARD-22 block: a read, cut in way %u, is complete", way);
}

/* Input or entropy: as many bytes as there are, and none behind. */
static void receive(unsigned way)
{
	static uint8_t writable[300];
	struct virtq_buffer buffers[] = {{writable, 1}, {writable + 1, 99}, {writable + 100, 200}};
	uint32_t written;

	memset(writable, POISON, sizeof(writable));
	written = watch(buffers, 0, 1 + way);
	check(written >= 1 &&
			written <= (way == 0          ? 1
					   : way == 1 ? 100
						      : 300) &&
			is_poison(writable + written, sizeof(writable) - written),
		"SPLIT-DEV-02 HARD-20 HARD-22 PACK-DEV-20 %s queue %u: %u bytes are written",
		victim->name, vq->index, written);
	check(written < 16 || !is_poison(writable + written - 4, 4),
		"SPLIT-DEV-02 HARD-20 %s queue %u: all that is said to be", victim->name,
		vq->index);
}

static void send(unsigned way)
{
	static char text[] = "...";
	struct virtq_buffer buffers[] = {{text, 1}, {text + 1, 1}, {text + 2, 1}};

	check(watch(buffers, 1 + way, 0) == 0 && strcmp(text, "...") == 0,
		"SPLIT-DEV-01 PACK-DEV-05 console: output stays");
}

static void use(unsigned way)
{
	if (victim == &targets[BLOCK])
		read_sector(way);
	else if (victim == &targets[CONSOLE] && vq->index == 1)
		send(way);
	else
		receive(way);
}

/* --- attacks ---------------------------------------------------------------------------------- */

static void laps(void)
{
	for (unsigned i = 0; i < CHAINS; i++)
		use(i % 3);
}

/* More of them than the queue has entries, each in vain; then one that is not. */
static void useless_chains(void)
{
	static uint8_t bytes[2 * 64];
	struct virtq_buffer buffers[] = {{bytes, 15}, {bytes + 64, 64}};

	memset(bytes, '.', sizeof(bytes));
	for (unsigned i = 0; i < SIZE + 1; i++)
		check(watch(buffers, 1 + i % 2, 0) == 0, "HARD-23 %s queue %u: nothing is written",
			victim->name, vq->index);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		check(bytes[i] == '.', "SPLIT-DEV-01 PACK-DEV-05 %s queue %u: byte %u stays",
			victim->name, vq->index, i);
	use(0);
}

/* Where a byte is to be written, and a request of another type lies there: it has no effect. */
static void writable_is_not_read(void)
{
	static struct virtio_blk_req writable;
	struct virtq_buffer buffer = {&writable, sizeof(writable)};

	writable.type = cpu_to_le32(VIRTIO_BLK_T_OUT);
	if (victim == &targets[CONSOLE] && vq->index == 0)
		return;
	check(watch(&buffer, 0, 1) == (victim == &targets[RNG] ? sizeof(writable) : 0),
		"SPLIT-DEV-18 PACK-DEV-18 %s queue %u: a writable buffer alone is no request",
		victim->name, vq->index);
	use(0);
}

/* More than it gives at once, in buffers that are the same memory. */
static void more_than_there_is(void)
{
	static uint8_t writable[CAP + 4096];
	struct virtq_buffer buffers[] = {
		{writable, CAP}, {writable, sizeof(writable)}, {writable, sizeof(writable)}};
	uint32_t written;

	if (victim != &targets[RNG])
		return;
	memset(writable, POISON, sizeof(writable));
	written = watch(buffers, 0, 3);
	check(written == CAP, "RNG-DEV-03 %u bytes of entropy, not %u", CAP, written);
	check(is_poison(writable + CAP, 4096), "RNG-DEV-03 and none behind");
}

/* As soon as the device is at work, its list was taken, and is the driver's to spoil. */
static void spoilt_while_active(void)
{
	static struct block_request request;
	static uint32_t words[3072 * VIRTIO_BLK_SECTOR_SIZE / 4];
	volatile uint32_t *first = words;
	uint64_t begin = read_tsc();

	if (victim != &targets[BLOCK])
		return;
	words[0] = words[sizeof(words) / 4 - 1] = UINT32_MAX;
	disk.queue = 0;
	check(block_submit(&disk, &request, VIRTIO_BLK_T_IN, 0, words, sizeof(words)) == 0,
		"a large read fits");
	mmio_kick(dev, 0, 0);
	while (*first == UINT32_MAX && timer_microseconds(read_tsc() - begin) < PATIENCE_US)
		cpu_relax();
	/* Addresses and lengths, but for the length in the first: there the answer may be. */
	for (unsigned i = 0; i < 3; i++)
		memset((uint8_t *)vq->desc + i * sizeof(struct virtq_desc), 0xff, i ? 12 : 8);
	memset(vq->tables, 0xff, sizeof(vq->tables));
	check(block_wait(&request) == 0 && words[sizeof(words) / 4 - 1] == 0 && !has_failed(dev),
		"PACK-DEV-21 HARD-08 a read is complete though its descriptors were spoilt");
}

static void no_such_queue(void)
{
	static const uint16_t queues[] = {4, 64, 0x7fff, 0xffff};

	for (unsigned i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
		mmio_kick(dev, queues[i], (uint16_t)(0x5555 * i));
	use(0);
	check(!has_failed(dev), "MMIO-DEV-13 %s: kicks to nowhere", victim->name);
}

static const struct {
	const char *name;
	void (*perform)(void);
} attacks[] = {
	{"laps that are watched", laps},
	{"HARD-23 useless chains", useless_chains},
	{"a writable buffer is not read", writable_is_not_read},
	{"RNG-DEV-03 more than there is", more_than_there_is},
	{"HARD-08 spoilt while active", spoilt_while_active},
	{"MMIO-DEV-13 no such queue", no_such_queue},
};

int main(const struct start_info *info)
{
	const uint64_t split = FEATURE(VIRTIO_F_RING_PACKED);
	const uint64_t direct = FEATURE(VIRTIO_F_INDIRECT_DESC);
	const uint64_t declined[] = {split | direct, split, direct, 0};

	for (unsigned form = 0; form < sizeof(declined) / sizeof(declined[0]); form++) {
		start_targets(info, declined[form]);
		for (unsigned t = 0; t < TARGETS; t++) {
			victim = &targets[t];
			dev = victim->dev;
			for (unsigned q = 0; q < victim->queue_count; q++) {
				vq = victim->queues[q];
				for (unsigned i = 0; i < sizeof(attacks) / sizeof(attacks[0]);
					i++) {
					bring_up(victim, declined[form]);
					attacks[i].perform();
					check_aftermath(victim, declined[form], attacks[i].name);
				}
			}
		}
	}
	return attacks_done();
}
