/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that lies in its rings: each attack on each queue of each device, split and packed,
 * direct and indirect. Then hostile.h has its proof. Prints the number of attacks. Exit status 0.
 */

#include "hostile-chain.h"

#define GLANCE_US 2000

/* --- attacks by buffers ----------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum outcome expected;
	unsigned count;
	struct element elements[4];
} chains[] = {
	CHAIN("HARD-09 no RAM, to write", FAILS, {HOLE, LEN, W}),
	CHAIN("HARD-09 no RAM, to read", FAILS, {HOLE, LEN, R}),
	CHAIN("HARD-09 the second is no RAM", FAILS, HEADER, {HOLE, 1, W}),
	CHAIN("HARD-09 the device itself, to write", FAILS, {WINDOW, LEN, W}),
	CHAIN("HARD-09 the device itself, to read", FAILS, {WINDOW, 4, R}),
	CHAIN("HARD-09 the IOAPIC", FAILS, {IOAPIC, 4, W}),
	CHAIN("HARD-09 the local APIC", FAILS, {APIC, LEN, W}),
	CHAIN("HARD-09 the end of RAM, to write", FAILS, {RAM_END, LEN, W}),
	CHAIN("HARD-09 the end of RAM, to read", FAILS, {RAM_END, LEN, R}),
	CHAIN("HARD-09 far more than RAM", FAILS, {HERE, UINT32_MAX, W}),
	CHAIN("HARD-09 far more than RAM, to read", FAILS, {HERE, UINT32_MAX, R}),
	CHAIN("HARD-09 above all", FAILS, {ABOVE, LEN, W}),
	CHAIN("HARD-09 the address wraps", FAILS, {WRAP, LEN, W}),
	CHAIN("HARD-09 address and length wrap", FAILS, {WRAP, UINT32_MAX, R}),
	CHAIN("HARD-10 read-only memory, to write", FAILS, {ROM, LEN, W}),
	CHAIN("HARD-09 the null page, to write", FAILS, {NULL_PAGE, LEN, W}),
	CHAIN("HARD-09 the null page, to read", FAILS, {NULL_PAGE, LEN, R}),
	CHAIN("read-only memory, to read", ANSWERS, {ROM, LEN, R}),
	CHAIN("HARD-10 readable after writable", FAILS, {HERE, 1, W}, {HERE, 1, R}),
	CHAIN("HARD-10 readable after writable, in the end", FAILS, HEADER, {HERE, 1, W},
		{HERE, 0, R}),
	CHAIN("HARD-10 only readable", ANSWERS, {HERE, LEN, R}),
	CHAIN("HARD-10 only writable", ANSWERS, {HERE, LEN, W}),
	CHAIN("HARD-11 empty, to write", ANSWERS, {HERE, 0, W}),
	CHAIN("HARD-11 empty, to read", ANSWERS, {HERE, 0, R}),
	CHAIN("HARD-11 all empty", ANSWERS, {HERE, 0, R}, {HERE, 0, R}, {HERE, 0, W}),
	CHAIN("HARD-11 empty and nowhere", ANSWERS, {HOLE, 0, R}, {WRAP, 0, W}),
	CHAIN("HARD-11 the first is empty", ANSWERS, {WINDOW, 0, R}, HEADER, {HERE, 1, W}),
	CHAIN("HARD-13 half a header", ANSWERS, {HERE, 8, R}, {HERE, 1, W}),
	CHAIN("HARD-13 a header in pieces", ANSWERS, {HERE, 1, R}, {HERE, 14, R}, {HERE, 1, R},
		{HERE, 1, W}),
	CHAIN("HARD-12 no status byte", ANSWERS, HEADER, {HERE, LEN, R}),
	CHAIN("HARD-12 an empty status byte", ANSWERS, HEADER, {HERE, 0, W}),
	CHAIN("HARD-12 more than a status byte", ANSWERS, HEADER, {HERE, 2 * LEN, W}),
	CHAIN("overlapping buffers", ANSWERS, HEADER, {HERE, LEN, W}, {HERE, LEN, W}),
	CHAIN("the ring is the buffer", ANYTHING, {RING, SIZE * 16, W}),
	CHAIN("the ring is the buffer, behind the header", ANYTHING, HEADER, {RING, 512, W}),
	CHAIN("the driver's area is the buffer", ANYTHING, HEADER, {DRIVER, 4, W}),
	CHAIN("the device's area is the buffer", ANYTHING, HEADER, {DEVICE, 4, W}),
	CHAIN("the device's area is read", ANYTHING, {DEVICE, 4, R}, {DEVICE, 4, W}),
};

#define CHAINS (sizeof(chains) / sizeof(chains[0]))

/* --- attacks by descriptors ------------------------------------------------------------------- */

static void idx_jumps(void)
{
	publish_head(0, 1000);
}

static void idx_jumps_by_one(void)
{
	publish_head(0, SIZE + 1);
}

static void idx_goes_back(void)
{
	publish_head(0, UINT16_MAX);
}

static void head_outside(void)
{
	publish_head(SIZE, 1);
}

static void head_far_outside(void)
{
	publish_head(UINT16_MAX, 1);
}

static void next_outside(void)
{
	set_desc(0, (uint32_t)bytes, 1, W | N, SIZE);
	publish();
}

static void next_far_outside(void)
{
	set_desc(0, (uint32_t)bytes, 1, W | N, UINT16_MAX);
	publish();
}

static void table_next_outside(void)
{
	set_table(0, (uint32_t)bytes, 1, W | N, 2);
	set_table(1, (uint32_t)bytes, 1, W, 0);
	offer_table((uint32_t)table, 2 * sizeof(table[0]), 0);
}

static void self_loop(void)
{
	set_desc(0, (uint32_t)bytes, 1, W | N, 0);
	publish();
}

static void two_loop(void)
{
	set_desc(0, (uint32_t)bytes, 1, W | N, 1);
	set_desc(1, (uint32_t)bytes, 1, W | N, 0);
	publish();
}

static void empty_loop(void)
{
	set_desc(0, 0, 0, N, 1);
	set_desc(1, 0, 0, N, 1);
	publish();
}

static void table_loop(void)
{
	set_table(0, (uint32_t)bytes, 1, W | N, 1);
	set_table(1, (uint32_t)bytes, 1, W | N, 0);
	offer_table((uint32_t)table, 2 * sizeof(table[0]), 0);
}

/* As long as can be, and in a packed ring without an end. */
static void offer_ring(bool ends)
{
	for (unsigned i = SIZE; i--;)
		set_desc(i, (uint32_t)bytes, 1, available(W | (ends && i == SIZE - 1 ? 0 : N)),
			i + 1);
	publish();
}

static void whole_ring(void)
{
	offer_ring(true);
}

static void endless_ring(void)
{
	offer_ring(false);
}

static void same_head_twice(void)
{
	set_desc(0, (uint32_t)bytes, 1, W, 0);
	vq->split.avail->ring[1] = cpu_to_le16(0);
	publish_head(0, 2);
}

static void same_head_everywhere(void)
{
	set_desc(0, (uint32_t)bytes, 1, W, 0);
	for (unsigned i = 0; i < SIZE; i++)
		vq->split.avail->ring[i] = cpu_to_le16(0);
	publish_head(0, SIZE);
}

static void shared_tail(void)
{
	set_desc(0, (uint32_t)bytes, 1, W | N, 2);
	set_desc(1, (uint32_t)bytes, 1, W | N, 2);
	set_desc(2, (uint32_t)bytes, 1, W, 0);
	vq->split.avail->ring[1] = cpu_to_le16(1);
	publish_head(0, 2);
}

/* --- by indirect tables --- */

static void empty_table(void)
{
	offer_table((uint32_t)table, 0, 0);
}

static void half_a_descriptor(void)
{
	offer_table((uint32_t)table, 8, 0);
}

static void one_and_a_half(void)
{
	offer_table((uint32_t)table, 24, 0);
}

static void huge_table(void)
{
	offer_table((uint32_t)table, UINT32_MAX - 15, 0);
}

static void table_nowhere(void)
{
	offer_table(address(HOLE), 16, 0);
}

static void table_in_device(void)
{
	offer_table(address(WINDOW), 16, 0);
}

static void table_over_end(void)
{
	offer_table(address(RAM_END), 16, 0);
}

static void table_wraps(void)
{
	offer_table(address(WRAP), 16, 0);
}

static void table_with_next(void)
{
	set_table(0, (uint32_t)bytes, 1, W, 0);
	set_desc(1, (uint32_t)bytes, 1, available(W), 0);
	offer_table((uint32_t)table, 16, N);
}

static void table_of_empty(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		set_table(i, 0, 0, W | (i + 1 < count ? N : 0), i + 1);
	offer_table((uint32_t)table, count * sizeof(table[0]), 0);
}

static void longest_table(void)
{
	table_of_empty(TABLE_LIMIT);
}

static void longer_table(void)
{
	table_of_empty(TABLE_LIMIT + 1);
}

static void nested_table(void)
{
	set_table(0, (uint32_t)table, 16, I, 0);
	offer_table((uint32_t)table, 16, 0);
}

/* 65 times all of RAM: more than 2^32 bytes. */
static void too_many_bytes(void)
{
	for (unsigned i = 0; i < 65; i++)
		set_table(i, PAGE_SIZE, (64u << 20) - PAGE_SIZE, i < 64 ? N : 0, i + 1);
	offer_table((uint32_t)table, 65 * sizeof(table[0]), 0);
}

static void odd_table(void)
{
	static uint8_t memory[33];

	set_table(0, (uint32_t)bytes, 1, W, 0);
	memcpy(memory + 1, table, 16);
	offer_table((uint32_t)memory + 1, 16, 0);
}

static void ring_as_table(void)
{
	offer_table((uint32_t)vq->desc, SIZE * 16, 0);
}

static void read_only_table(void)
{
	/* All zero, as packed descriptors and as split ones. */
	static const uint8_t zeros[16] __attribute__((aligned(16))) = {0};

	offer_table((uint32_t)zeros, sizeof(zeros), 0);
}

static void table_after_element(void)
{
	set_table(0, (uint32_t)bytes, 1, W, 0);
	set_desc(1, (uint32_t)table, 16, available(I), 0);
	set_desc(0, (uint32_t)bytes, 1, available(N), 1);
	publish();
}

/* --- packed --- */

static void list_breaks_off(void)
{
	set_desc(0, (uint32_t)bytes, 1, available(W | N), 0);
}

static void list_goes_on_used(void)
{
	set_desc(1, (uint32_t)bytes, 1, VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED, 0);
	set_desc(0, (uint32_t)bytes, 1, available(W | N), 0);
}

static void any_id(void)
{
	set_desc(0, (uint32_t)bytes, 1, available(W), UINT16_MAX);
}

static void same_id(void)
{
	for (unsigned i = SIZE; i--;)
		set_desc(i, (uint32_t)bytes, 1, available(W), 7);
}

/* A lap that is not due, and descriptors that nobody but the device may write. */
static void wrong_lap(void)
{
	set_desc(0, (uint32_t)bytes, 1, W | VIRTQ_DESC_F_USED, 0);
}

static void forged_used(void)
{
	for (unsigned i = 0; i < SIZE; i++)
		set_desc(i, (uint32_t)bytes, 1, W | VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED, 0);
}

static void all_bits(void)
{
	for (unsigned i = SIZE; i--;)
		set_desc(i, UINT64_MAX, UINT32_MAX, UINT16_MAX & ~VIRTQ_DESC_F_USED, UINT16_MAX);
}

/* Made available again and again before it comes back. */
static void flickers(void)
{
	for (unsigned i = 0; i < 50; i++) {
		set_desc(i % SIZE, (uint32_t)bytes, 1, available(W), 0);
		mmio_kick(dev, vq->index, 0);
		set_desc(i % SIZE, (uint32_t)bytes, 1, W | VIRTQ_DESC_F_USED, 0);
	}
}

/* --- notifications --- */

static void nonsense_about_notifications(void)
{
	if (is_packed(dev)) {
		atomic_store(&vq->packed.driver.word.raw, UINT32_MAX);
		set_desc(0, (uint32_t)bytes, 1, available(W), 0);
		return;
	}
	atomic_store(&vq->split.avail->flags.raw, UINT16_MAX);
	atomic_store(&vq->split.used_event->raw, UINT16_MAX);
	set_desc(0, (uint32_t)bytes, 1, W, 0);
	publish();
}

#define NO_INDIRECT FEATURE(VIRTIO_F_INDIRECT_DESC)

static const struct {
	const char *name;
	unsigned forms;
	enum outcome expected;
	void (*perform)(void);
	uint64_t declined;
} attacks[] = {
	{"HARD-03 idx jumps", SPLIT, FAILS, idx_jumps, 0},
	{"HARD-03 idx jumps by one too many", SPLIT, FAILS, idx_jumps_by_one, 0},
	{"HARD-03 idx goes back", SPLIT, FAILS, idx_goes_back, 0},
	{"HARD-04 head outside", SPLIT, FAILS, head_outside, 0},
	{"HARD-04 head far outside", SPLIT, FAILS, head_far_outside, 0},
	{"HARD-04 next outside", SPLIT, FAILS, next_outside, 0},
	{"HARD-04 next far outside", SPLIT, FAILS, next_far_outside, 0},
	{"HARD-04 next outside of a table", SPLIT, FAILS, table_next_outside, 0},
	{"HARD-05 a loop of one", SPLIT, FAILS, self_loop, 0},
	{"HARD-05 a loop of two", SPLIT, FAILS, two_loop, 0},
	{"HARD-05 a loop of nothing", SPLIT, FAILS, empty_loop, 0},
	{"HARD-05 a loop in a table", SPLIT, FAILS, table_loop, 0},
	{"HARD-05 all descriptors", ANY_FORM, ANSWERS, whole_ring, 0},
	{"HARD-05 HARD-19 more than all descriptors", ANY_FORM, FAILS, endless_ring, 0},
	{"a head twice", SPLIT, ANSWERS, same_head_twice, 0},
	{"a head everywhere", SPLIT, ANSWERS, same_head_everywhere, 0},
	{"a tail of two chains", SPLIT, ANSWERS, shared_tail, 0},
	{"HARD-06 an empty table", ANY_FORM, FAILS, empty_table, 0},
	{"HARD-06 half a descriptor", ANY_FORM, FAILS, half_a_descriptor, 0},
	{"HARD-06 one and a half", ANY_FORM, FAILS, one_and_a_half, 0},
	{"HARD-06 a huge table", ANY_FORM, FAILS, huge_table, 0},
	{"HARD-06 the longest table", ANY_FORM, ANSWERS, longest_table, 0},
	{"HARD-06 a longer table", ANY_FORM, FAILS, longer_table, 0},
	{"HARD-06 INDIRECT and NEXT", ANY_FORM, FAILS, table_with_next, 0},
	{"HARD-06 a table in a table", SPLIT, FAILS, nested_table, 0},
	{"PACK-DEV-07 INDIRECT in a table", PACKED, ANSWERS, nested_table, 0},
	{"HARD-06 a table that was not agreed on", ANY_FORM, FAILS, odd_table, NO_INDIRECT},
	{"HARD-07 more than 2^32 bytes", ANY_FORM, FAILS, too_many_bytes, 0},
	{"HARD-09 a table nowhere", ANY_FORM, FAILS, table_nowhere, 0},
	{"HARD-09 a table in the device", ANY_FORM, FAILS, table_in_device, 0},
	{"HARD-09 a table over the end", ANY_FORM, FAILS, table_over_end, 0},
	{"HARD-09 a table that wraps", ANY_FORM, FAILS, table_wraps, 0},
	{"HARD-27 a table at an odd address", ANY_FORM, ANSWERS, odd_table, 0},
	{"a table in read-only memory", ANY_FORM, ANSWERS, read_only_table, 0},
	{"the ring is the table", ANY_FORM, ANYTHING, ring_as_table, 0},
	{"SPLIT-DEV-08 a table after a descriptor", SPLIT, ANSWERS, table_after_element, 0},
	{"HARD-06 a table in a list", PACKED, FAILS, table_after_element, 0},
	{"HARD-19 a list breaks off", PACKED, FAILS, list_breaks_off, 0},
	{"HARD-19 a list goes on where it is used", PACKED, FAILS, list_goes_on_used, 0},
	{"PACK-DEV-04 any id", PACKED, ANSWERS, any_id, 0},
	{"the same id everywhere", PACKED, ANSWERS, same_id, 0},
	{"PACK-DEV-01 another lap", PACKED, ANYTHING, wrong_lap, 0},
	{"HARD-19 descriptors as used ones", PACKED, ANYTHING, forged_used, 0},
	{"HARD-19 all bits", PACKED, FAILS, all_bits, 0},
	{"HARD-19 available and not", PACKED, ANYTHING, flickers, 0},
	{"PACK-DEV-11 nonsense about notifications", ANY_FORM, ANSWERS,
		nonsense_about_notifications, 0},
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

/* --- trying them ------------------------------------------------------------------------------ */

/* Until the device asks for a reset, or has given back a chain, or for a while. */
static void wait_for_device(uint32_t microseconds)
{
	uint64_t begin = read_tsc();

	while (!has_failed(dev) && !virtq_pending(vq) &&
		timer_microseconds(read_tsc() - begin) < microseconds)
		cpu_relax();
}

/* Waits for the device's reaction and checks it. */
static void check_outcome(const struct target *target, const char *name, enum outcome expected)
{
	unsigned interrupts;

	mmio_kick(dev, vq->index, 0);
	wait_for_device(expected == ANYTHING ? GLANCE_US : PATIENCE_US);
	if (expected == ANSWERS)
		check(virtq_pending(vq) && !has_failed(dev), "%s %s queue %u: \"%s\" is answered",
			is_packed(dev) ? "packed" : "split", target->name, vq->index, name);
	if (expected != FAILS)
		return;
	check(has_failed(dev) && !virtq_pending(vq), "%s %s queue %u: \"%s\" fails, BASE-DEV-10",
		is_packed(dev) ? "packed" : "split", target->name, vq->index, name);
	check(atomic_load(&dev->failed), "%s: \"%s\": the driver is told, BASE-DEV-09",
		target->name, name);

	/* Then nothing more. */
	interrupts = atomic_load(&dev->interrupts);
	mmio_kick(dev, vq->index, 0);
	check(has_failed(dev) && !virtq_pending(vq) && atomic_load(&dev->interrupts) == interrupts,
		"%s: silence after \"%s\"", target->name, name);
}

static void attack(struct target *target, unsigned queue, uint64_t declined)
{
	dev = target->dev;
	vq = target->queues[queue];
	for (unsigned i = 0; i < CHAINS; i++) {
		for (unsigned way = DIRECT; way <= INDIRECT; way++) {
			bring_up(target, declined);
			offer_chain(chains[i].elements, chains[i].count, way);
			check_outcome(target, chains[i].name, chains[i].expected);
			check_aftermath(target, declined, chains[i].name);
		}
	}
	for (unsigned i = 0; i < ATTACKS; i++) {
		if (!(attacks[i].forms & (is_packed(dev) ? PACKED : SPLIT)))
			continue;
		bring_up(target, declined | attacks[i].declined);
		attacks[i].perform();
		check_outcome(target, attacks[i].name, attacks[i].expected);
		check_aftermath(target, declined, attacks[i].name);
	}
}

int main(const struct start_info *info)
{
	static const uint64_t declined[] = {FEATURE(VIRTIO_F_RING_PACKED), 0};

	boot = info;
	for (unsigned form = 0; form < 2; form++) {
		start_targets(info, declined[form]);
		for (unsigned i = 0; i < TARGETS; i++)
			for (unsigned queue = 0; queue < targets[i].queue_count; queue++)
				attack(&targets[i], queue, declined[form]);
	}
	return attacks_done();
}
