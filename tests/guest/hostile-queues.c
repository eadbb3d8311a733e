/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that lies about the queues of a disk that has four: it enables them in odd orders or
 * not at all, names more than there are, gives two of them the same memory, and fails, stops or
 * resets one while the others have requests under way. The disk's words count up. On split rings
 * and direct, on packed ones and indirect. Then hostile.h has its proof. Prints the number of
 * attacks. Exit status 0.
 */

#include "hostile.h"

#define QUEUES  4
#define READS   2    /* of a queue, under way at once */
#define SECTORS 3072 /* of a read: more than it has in one turn */
#define WORDS   (SECTORS * VIRTIO_BLK_SECTOR_SIZE / 4)
#define POISON  0xa5a5a5a5
#define PENDING 0xff /* no status that the specification knows */

static struct target *const victim = &targets[BLOCK];
static struct mmio *const dev = &disk.dev;
static struct virtq *const queues = disk.queues;

static struct block_request requests[QUEUES][READS];
static uint32_t words[QUEUES][READS][WORDS];

/* --- what a queue is good for ----------------------------------------------------------------- */

static uint32_t sector_of(unsigned queue, unsigned i)
{
	return (queue * READS + i) * VIRTIO_BLK_SECTOR_SIZE / 4;
}

/* What becomes of the memory of requests that are not under way any more. */
static void poison(unsigned queue)
{
	for (unsigned i = 0; i < READS; i++) {
		requests[queue][i].status = PENDING;
		words[queue][i][0] = words[queue][i][WORDS - 1] = POISON;
	}
}

/* The device is silent about it, and leaves its memory alone, whatever it is told. */
static void check_poison(unsigned queue, const char *when)
{
	unsigned changed = 0;

	mmio_kick(dev, queue, 0);
	timer_delay(1000);
	for (unsigned i = 0; i < READS; i++)
		changed += requests[queue][i].status != PENDING || words[queue][i][0] != POISON ||
			   words[queue][i][WORDS - 1] != POISON;
	check(!changed, "HARD-14 queue %u: memory is left alone %s", queue, when);
}

/* Reads, each of something else. */
static void add_reads(unsigned queue)
{
	poison(queue); /* before the device sees them: it may be looking */
	disk.queue = queue;
	for (unsigned i = 0; i < READS; i++)
		check(block_submit(&disk, &requests[queue][i], VIRTIO_BLK_T_IN, sector_of(queue, i),
			      words[queue][i], sizeof(words[queue][i])) == 0,
			"queue %u: a read fits", queue);
}

static void begin_reads(unsigned queue)
{
	add_reads(queue);
	block_kick(&disk);
}

static void end_reads(unsigned queue)
{
	for (unsigned i = 0; i < READS; i++) {
		uint32_t first = sector_of(queue, i) * (VIRTIO_BLK_SECTOR_SIZE / 4);

		check(block_wait(&requests[queue][i]) == 0, "queue %u: read %u is done", queue, i);
		check(words[queue][i][0] == first &&
				words[queue][i][WORDS - 1] == first + WORDS - 1,
			"BLK-DEV-21 queue %u: read %u has what is there", queue, i);
	}
}

/* Queue 1 last: then it is what other things are done to. */
static void kick_all(void)
{
	for (unsigned i = 2; i < 2 + QUEUES; i++)
		mmio_kick(dev, i % QUEUES, 0);
}

/* Of all queues but this one: so much at once that it takes the device longer than what comes next
 * takes the driver. */
static void begin_others(unsigned but)
{
	for (unsigned queue = 0; queue < QUEUES; queue++)
		if (queue != but)
			add_reads(queue);
	kick_all();
}

static void end_others(unsigned but)
{
	for (unsigned queue = 0; queue < QUEUES; queue++)
		if (queue != but)
			end_reads(queue);
}

static void set_up(unsigned queue)
{
	check(virtq_setup(&queues[queue], dev, queue) == 0, "queue %u is set up", queue);
}

static void set_ready(unsigned queue, bool ready)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, queue);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, ready);
	check(mmio_read(dev, VIRTIO_MMIO_QUEUE_READY) == ready, "queue %u: ready is %d", queue,
		ready);
}

static void reset(unsigned queue)
{
	check(mmio_queue_reset(dev, queue) == 0, "queue %u is reset", queue);
}

/* --- orders and numbers ----------------------------------------------------------------------- */

static void only_the_last(void)
{
	set_up(QUEUES - 1);
	check(mmio_ready(dev) == 0, "live with one queue");
	kick_all();
	begin_reads(QUEUES - 1);
	kick_all();
	end_reads(QUEUES - 1);
}

static void from_behind(void)
{
	check(mmio_ready(dev) == 0, "live without a queue");
	for (unsigned queue = QUEUES; queue-- > 0;) {
		set_up(queue);
		kick_all();
		begin_reads(queue);
		end_reads(queue);
	}
}

/* What is in it is served later, when it is enabled. */
static void kicks_of_one_not_enabled(void)
{
	set_ready(1, false);
	begin_others(1);
	add_reads(1);
	for (unsigned i = 0; i < 50; i++)
		mmio_kick(dev, 1, 0);
	check_poison(1, "before it is enabled");
	end_others(1);
	set_ready(1, true);
	mmio_kick(dev, 1, 0);
	end_reads(1);
}

/* The memory of a queue that there is, given to one that there is not. */
static void more_than_there_are(void)
{
	static const uint32_t numbers[] = {
		QUEUES, QUEUES + 1, 64, 0xffff, 0x10000, 0x80000000, UINT32_MAX - 3, UINT32_MAX};

	begin_others(QUEUES);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		check(!has_queue(victim, numbers[i]), "MMIO-DEV-12 queue %u has no size",
			numbers[i]);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_SIZE, 8);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)queues[0].desc);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)queues[0].driver);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)queues[0].device);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
		check(mmio_read(dev, VIRTIO_MMIO_QUEUE_READY) == 0, "HARD-15 queue %u is not ready",
			numbers[i]);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, numbers[i]);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_RESET, 1);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	}
	end_others(QUEUES);
}

/* Then there is one, whatever the disk has. */
static void without_mq(void)
{
	for (unsigned queue = 1; queue < QUEUES; queue++) {
		check(!has_queue(victim, queue), "BLK-DEV-21 queue %u is not there", queue);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
		check(mmio_read(dev, VIRTIO_MMIO_QUEUE_READY) == 0, "BLK-DEV-21 nor ready");
	}
	set_up(0);
	check(mmio_ready(dev) == 0, "live with the one");
	begin_reads(0);
	kick_all();
	end_reads(0);
}

/* --- one and the others ----------------------------------------------------------------------- */

/* The device has failed: that goes for all of its queues. */
static void one_fails(void)
{
	begin_others(QUEUES - 1);
	spoil(&queues[QUEUES - 1], true);
	wait_for_failure(dev);
	for (unsigned queue = 0; queue < QUEUES - 1; queue++) {
		add_reads(queue);
		check_poison(queue, "after another failed");
	}
}

static void all_fail(void)
{
	for (unsigned queue = 0; queue < QUEUES; queue++)
		spoil(&queues[queue], queue % 2);
	wait_for_failure(dev);
}

/* What one is refused is no matter of the others. */
static void one_asks_for_nonsense(void)
{
	static struct block_request nonsense[READS];

	begin_others(1);
	disk.queue = 1;
	for (unsigned i = 0; i < READS; i++)
		check(block_submit(&disk, &nonsense[i], i % 2 ? VIRTIO_BLK_T_IN : UINT32_MAX,
			      UINT64_MAX - i, words[1][i], sizeof(words[1][i])) == 0,
			"nonsense fits");
	block_kick(&disk);
	for (unsigned i = 0; i < READS; i++)
		check(block_wait(&nonsense[i]) == (i % 2 ? -EIO : -ENOTSUP),
			"BLK-DEV-06 BLK-DEV-11 nonsense %u is refused", i);
	end_others(1);
}

static void one_is_stopped(void)
{
	begin_others(QUEUES);
	set_ready(1, false);
	poison(1);
	check_poison(1, "after QueueReady 0, MMIO-DEV-01");
	end_others(1);
	set_up(1);
}

static void one_is_reset(void)
{
	begin_others(QUEUES);
	reset(1);
	poison(1);
	check_poison(1, "after QueueReset 1, BASE-DEV-05");
	end_others(1);
	set_up(1);
}

/* Each time a little later, since nobody knows how fast either side is. */
static void resets_in_turn(void)
{
	for (unsigned round = 0; round < 4; round++) {
		mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 1);
		begin_others(QUEUES);
		for (unsigned i = 0; i < 10 * round; i++)
			cpu_relax();
		mmio_write(dev, VIRTIO_MMIO_QUEUE_RESET, 1);
		end_others(1);
		set_up(1);
	}
}

static void each_is_reset(void)
{
	begin_others(QUEUES);
	for (unsigned queue = QUEUES; queue-- > 0;) {
		reset(queue);
		poison(queue);
	}
	for (unsigned queue = 0; queue < QUEUES; queue++) {
		check_poison(queue, "after its reset, BASE-DEV-05");
		set_up(queue);
	}
}

static void all_are_reset(void)
{
	begin_others(QUEUES);
	mmio_write(dev, VIRTIO_MMIO_STATUS, 0);
	for (unsigned queue = 0; queue < QUEUES; queue++)
		poison(queue);
	for (unsigned queue = 0; queue < QUEUES; queue++)
		check_poison(queue, "after the device's reset, BASE-DEV-02");
}

/* --- shared memory ---------------------------------------------------------------------------- */

/* The same header, data and status, in each of the queues: all are answered. */
static void same_request(void)
{
	static struct virtio_blk_req header;
	static uint8_t data[VIRTIO_BLK_SECTOR_SIZE], status;
	struct virtq_buffer buffers[] = {
		{&header, sizeof(header)}, {data, sizeof(data)}, {&status, 1}};
	uint32_t written;

	for (unsigned queue = 0; queue < QUEUES; queue++)
		check(virtq_add(&queues[queue], buffers, 1, 2, dev) == 0, "it fits");
	kick_all();
	for (unsigned queue = 0; queue < QUEUES; queue++)
		check(virtq_wait(&queues[queue]) == 0 && virtq_take(&queues[queue], &written) &&
				written == sizeof(data) + 1,
			"queue %u answers what others do", queue);
}

/* Queue 1 takes the place of queue 0 for these areas. */
static void take_over(unsigned offset, const void *area)
{
	set_ready(1, false);
	mmio_write(dev, offset, (uint32_t)area);
	set_ready(1, true);
}

/* The same head, once in each of two queues. Of a packed queue the descriptors are where the device
 * answers too, and then all may happen. */
static void same_head(void)
{
	const struct virtq_split *split = &queues[1].split;

	take_over(VIRTIO_MMIO_QUEUE_DESC_LOW, queues[0].desc);
	add_reads(0);
	if (!is_packed(dev)) {
		split->avail->ring[0] = split->avail->ring[1] = cpu_to_le16(0);
		atomic_store(&split->avail->idx.raw, cpu_to_le16(2).raw);
	}
	kick_all();
	if (is_packed(dev))
		return;
	end_reads(0);
	check(virtq_wait(&queues[1]) == 0, "the same head is answered in the other queue");
}

static void same_areas(void)
{
	take_over(VIRTIO_MMIO_QUEUE_DESC_LOW, queues[0].desc);
	take_over(VIRTIO_MMIO_QUEUE_DRIVER_LOW, queues[0].driver);
	take_over(VIRTIO_MMIO_QUEUE_DEVICE_LOW, queues[0].device);
	add_reads(0);
	for (unsigned i = 0; i < 10; i++)
		kick_all();
}

/* What the device says of queue 1, it reads as descriptors of queue 0. */
static void answers_are_descriptors(void)
{
	take_over(VIRTIO_MMIO_QUEUE_DEVICE_LOW, queues[0].desc);
	add_reads(0);
	add_reads(1);
	for (unsigned i = 0; i < 10; i++)
		kick_all();
}

static void ring_is_a_buffer_of_another(void)
{
	add_reads(0);
	disk.queue = 1;
	for (unsigned i = 0; i < READS; i++)
		block_submit(&disk, &requests[1][i], VIRTIO_BLK_T_IN, i, queues[0].desc,
			VIRTIO_BLK_SECTOR_SIZE);
	kick_all();
}

static const struct {
	const char *name;
	bool live; /* with all queues; else its features are agreed on, and no more */
	enum outcome expected;
	void (*perform)(void);
	uint64_t declined;
} attacks[] = {
	{"only the last is enabled", false, ANYTHING, only_the_last, 0},
	{"enabled from behind, each used", false, GOES_ON, from_behind, 0},
	{"kicks of one that is not enabled", true, GOES_ON, kicks_of_one_not_enabled, 0},
	{"HARD-15 more than there are", true, GOES_ON, more_than_there_are, 0},
	{"without MQ", false, ANYTHING, without_mq, FEATURE(VIRTIO_BLK_F_MQ)},
	{"BASE-DEV-10 one fails, others under way", true, FAILS, one_fails, 0},
	{"BASE-DEV-10 all fail", true, FAILS, all_fail, 0},
	{"one asks for nonsense, others under way", true, GOES_ON, one_asks_for_nonsense, 0},
	{"HARD-14 one is stopped, all under way", true, GOES_ON, one_is_stopped, 0},
	{"HARD-14 one is reset, all under way", true, GOES_ON, one_is_reset, 0},
	{"HARD-14 one is reset again and again", true, GOES_ON, resets_in_turn, 0},
	{"HARD-14 each is reset, all under way", true, GOES_ON, each_is_reset, 0},
	{"HARD-14 reset, all under way", true, ANYTHING, all_are_reset, 0},
	{"the same request in all", true, GOES_ON, same_request, 0},
	{"the same head in two", true, ANYTHING, same_head, 0},
	{"the same areas of two", true, ANYTHING, same_areas, 0},
	{"answers of one are descriptors of another", true, ANYTHING, answers_are_descriptors, 0},
	{"the ring of one is a buffer of another", true, ANYTHING, ring_is_a_buffer_of_another, 0},
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

static void attack(unsigned i, uint64_t declined)
{
	if (attacks[i].live)
		bring_up(victim, declined);
	else
		choose(victim, declined | attacks[i].declined);
	attacks[i].perform();
	if (attacks[i].expected == FAILS)
		check(has_failed(dev), "\"%s\" fails", attacks[i].name);
	if (attacks[i].expected == GOES_ON) {
		begin_others(QUEUES);
		end_others(QUEUES);
		check(!has_failed(dev), "goes on after \"%s\"", attacks[i].name);
	}
	check_aftermath(victim, declined, attacks[i].name);
}

int main(const struct start_info *info)
{
	for (unsigned form = 0; form < FORMS; form++) {
		start_targets(info, forms[form]);
		check(victim->queue_count == QUEUES, "the disk has four queues");
		for (unsigned i = 0; i < ATTACKS; i++)
			attack(i, forms[form]);
	}
	return attacks_done();
}
