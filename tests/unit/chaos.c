/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chaos keeps to the specification for every seed: each chain comes back once, in order with
 * IN_ORDER, within the sizes that the device tells, with an interrupt if one was asked for and with
 * none if nothing was used, and nothing comes after a reset. The same seed does the same again, and
 * the same to a request however often its queue is looked at. Over a number of seeds everything
 * that chaos.h lists of a queue is seen. The device is the entropy device.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"
#include "chaos.h"
#include "rng.h"

#define SEEDS  100
#define ROUNDS 8
#define CHAINS 4 /* in a round: the smallest queue holds them */

/* A run: what happened, to compare it with another; and whether something was seen in it. */
struct trace {
	uint8_t ids[ROUNDS * CHAINS], passes[ROUNDS], interrupts[ROUNDS], lens[ROUNDS * CHAINS];
	uint64_t offered;
	uint64_t size_max;
	bool all_once, reordered, late, unasked, bounded, interrupted, is_short, batched, untrue;
};

struct entropy {
	struct driver d;
	struct fake_rng host;
	struct virtio_rng rng;
	gpa_t buffers;
};

/* Brings an entropy device up. fixed: the features of the ring's form are offered, as they are. */
static struct entropy *bring_up(const struct chaos_choice *choice, bool fixed)
{
	struct entropy *e = calloc(1, sizeof *e);
	uint64_t offered;
	uint32_t max;

	driver_init(&e->d);
	fake_rng_init(&e->host);
	virtio_rng_init(&e->rng, &e->host.backend, &e->d.ram.gmem, &driver_host_ops, &e->d.host);
	driver_attach(&e->d, &e->rng.dev);
	e->rng.dev.chaos = chaos_open(choice, 1, e->rng.dev.queues, 1, 0);
	if (!fixed)
		virtio_offer(&e->rng.dev, chaos_features(e->rng.dev.chaos) & VIRTIO_QUEUE_FEATURES);
	offered = driver_offered(&e->d);
	driver_negotiate(&e->d, offered);
	max = reg_read(&e->d, VIRTIO_MMIO_QUEUE_SIZE_MAX);
	driver_setup(&e->d, 0, max < DRIVER_QUEUE_SIZE ? max : DRIVER_QUEUE_SIZE);
	driver_ok(&e->d);
	driver_serve(&e->d);
	e->buffers = ram_alloc(&e->d.ram, CHAINS * 64, 64);
	return e;
}

static void tear_down(struct entropy *e)
{
	chaos_free(e->rng.dev.chaos);
	driver_free(&e->d);
	free(e);
}

/* Adds the chains of a round, and notes their ids. */
static void add(struct entropy *e, uint16_t ids[CHAINS])
{
	for (unsigned i = 0; i < CHAINS; i++)
		ids[i] = ring_add_one(&e->d.rings[0], e->buffers + 64 * i, 64, true);
}

/* Notes chains for which one used element stands that was taken: those before it, which must have
 * been written completely. */
static void take_batch(struct entropy *e, const uint16_t ids[CHAINS], unsigned round,
	unsigned first, unsigned last, struct trace *trace)
{
	for (unsigned i = first; i < last; i++) {
		const uint8_t *bytes = ram_at(&e->d.ram, e->buffers + 64 * i);

		ring_skip(&e->d.rings[0], ids[i]);
		trace->batched = true;
		trace->all_once &= memchr(bytes, 0, 64) == NULL;
		trace->ids[round * CHAINS + i] = i;
		trace->lens[round * CHAINS + i] = 64;
	}
}

/* Takes what has come back, and notes it. */
static unsigned take(struct entropy *e, const uint16_t ids[CHAINS], unsigned round, unsigned taken,
	bool seen[CHAINS], struct trace *trace)
{
	struct used used;

	while (ring_take(&e->d.rings[0], &used)) {
		unsigned which = 0;

		while (which < CHAINS && ids[which] != used.id)
			which++;
		if (which == CHAINS || seen[which] || taken == CHAINS) {
			trace->all_once = false;
			return CHAINS;
		}
		seen[which] = true;
		if (e->d.features & VIRTIO_BIT(VIRTIO_F_IN_ORDER) && which > taken) {
			take_batch(e, ids, round, taken, which, trace);
			taken = which;
		}
		trace->reordered |= which != taken;
		trace->is_short |= used.len < 64;
		trace->all_once &= used.len >= 1 && used.len <= 64;
		trace->ids[round * CHAINS + taken] = which;
		trace->lens[round * CHAINS + taken] = used.len;
		taken++;
	}
	return taken;
}

static void run_round(struct entropy *e, unsigned round, bool wanted, struct trace *trace)
{
	unsigned before = atomic_load(&e->d.host.raises), taken = 0, passes = 0;
	bool seen[CHAINS] = {false}, more = true;
	uint16_t ids[CHAINS];

	ring_want_interrupts(&e->d.rings[0], wanted);
	memset(ram_at(&e->d.ram, e->buffers), 0, CHAINS * 64);
	add(e, ids);
	for (; more && passes < 200; passes++) {
		more = virtio_serve(&e->rng.dev, 0);
		taken = take(e, ids, round, taken, seen, trace);
		trace->late |= taken < CHAINS;
	}
	trace->bounded &= passes < 100;
	trace->all_once &= taken == CHAINS;
	trace->passes[round] = passes;
	trace->interrupts[round] = atomic_load(&e->d.host.raises) - before;
	trace->interrupted &= !wanted || trace->interrupts[round] > 0;
	trace->unasked |= !wanted && trace->interrupts[round] > 0;

	/* Each needs a chain that was used since the one before. */
	trace->untrue |= trace->interrupts[round] > CHAINS + (round > 0);
}

/* Looks at a queue in which nothing was ever used. Returns whether an interrupt says otherwise. */
static bool lies(struct entropy *e)
{
	ring_want_interrupts(&e->d.rings[0], false);
	for (unsigned i = 0; i < 50; i++)
		virtio_serve(&e->rng.dev, 0);
	return atomic_load(&e->d.host.raises) > 0;
}

static struct trace run(uint64_t seed, bool fixed)
{
	struct trace trace = {.all_once = true, .bounded = true, .interrupted = true};
	struct entropy *e = bring_up(&(struct chaos_choice){.on = true, .seed = seed}, fixed);

	trace.offered = e->rng.dev.features;
	trace.size_max = reg_read(&e->d, VIRTIO_MMIO_QUEUE_SIZE_MAX);
	trace.untrue = lies(e);
	for (unsigned round = 0; round < ROUNDS; round++)
		run_round(e, round, round % 2 == 0, &trace);
	trace.all_once &= e->d.rings[0].size >= CHAINS && ring_guards_intact(&e->d.rings[0]);
	tear_down(e);
	return trace;
}

static bool is_same(const struct trace *a, const struct trace *b)
{
	return memcmp(a, b, offsetof(struct trace, all_once)) == 0 && a->all_once == b->all_once &&
	       a->reordered == b->reordered && a->late == b->late && a->unasked == b->unasked &&
	       a->bounded == b->bounded && a->interrupted == b->interrupted &&
	       a->is_short == b->is_short && a->batched == b->batched && a->untrue == b->untrue;
}

static void test_clauses(void)
{
	bool in_order = driver_ring_form & VIRTIO_BIT(VIRTIO_F_IN_ORDER);
	unsigned once = 0, bounded = 0, interrupted = 0, same = 0, reordered = 0, late = 0;
	unsigned unasked = 0, is_short = 0, small = 0, odd = 0, batched = 0, untrue = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct trace trace = run(seed, true), again = run(seed, true);

		once += trace.all_once;
		bounded += trace.bounded;
		interrupted += trace.interrupted;
		same += is_same(&trace, &again);
		reordered += trace.reordered;
		late += trace.late;
		unasked += trace.unasked;
		is_short += trace.is_short;
		batched += trace.batched;
		untrue += trace.untrue;
		small += trace.size_max < 64;
		odd += (trace.size_max & (trace.size_max - 1)) != 0;
	}
	is(once, SEEDS, "2.7.8 each chain comes back once, with bytes that it has room for");
	is(bounded, SEEDS, "each comes back within a bounded number of passes");
	is(interrupted, SEEDS, "2.7.7.2 an interrupt that was asked for comes");
	is(same, SEEDS, "a seed repeats what it did");
	is(untrue, 0, "4.2.2.1 an interrupt comes only for chains that were used");
	if (in_order) {
		is(reordered, 0, "2.7.9 with IN_ORDER chains come back in order");
		ok(batched > SEEDS / 8, "2.7.9 some seeds tell of several by one used element");
	} else {
		ok(reordered > SEEDS / 8, "2.7.8 some seeds use chains out of order");
		is(batched, 0, "2.7.8 each has a used element of its own");
	}
	ok(late > SEEDS / 8, "some seeds use chains late");
	ok(unasked > 0, "2.7.7.1 some seeds interrupt without being asked");
	ok(is_short > SEEDS / 8, "5.4.6.2 some seeds fill a part of a buffer");
	ok(small > SEEDS / 8, "4.2.2 some seeds have small queues");
	if (driver_ring_form & VIRTIO_BIT(VIRTIO_F_RING_PACKED))
		ok(odd > 0, "2.8 some packed queues have odd sizes");
	else
		is(odd, 0, "2.7 split queues have powers of two as sizes");
}

/* A reset while chains and interrupts are held back. */
static void test_reset(void)
{
	unsigned held = 0, silent = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct entropy *e =
			bring_up(&(struct chaos_choice){.on = true, .seed = seed}, true);
		uint16_t ids[CHAINS];
		unsigned before;

		ring_want_interrupts(&e->d.rings[0], true);
		add(e, ids);
		held += virtio_serve(&e->rng.dev, 0);
		reg_write(&e->d, VIRTIO_MMIO_STATUS, 0);
		before = atomic_load(&e->d.host.raises);
		silent += !virtio_serve(&e->rng.dev, 0) &&
			  atomic_load(&e->d.host.raises) == before &&
			  reg_read(&e->d, VIRTIO_MMIO_INTERRUPT_STATUS) == 0;
		tear_down(e);
	}
	ok(held > SEEDS / 8, "some seeds hold something back");
	is(silent, SEEDS, "2.4.1 after a reset nothing comes of it");
}

static void test_features(void)
{
	const uint64_t version = VIRTIO_BIT(VIRTIO_F_VERSION_1);
	uint64_t always = ~UINT64_C(0), ever = 0;
	unsigned once = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct trace trace = run(seed, false);

		always &= trace.offered;
		ever |= trace.offered;
		once += trace.all_once && trace.interrupted;
	}
	is(always, version, "2.2 VERSION_1 alone is always offered");
	is(ever, version | VIRTIO_QUEUE_FEATURES, "each other feature is offered by some seed");
	is(once, SEEDS, "and with all of them chains come back");
}

/* Adds a round of chains, and looks at the queue so many times while the source of random bytes is
 * empty. lens[i] becomes how many bytes of chain i were written in the end. */
static void look_and_fill(struct entropy *e, unsigned looks, unsigned lens[CHAINS])
{
	uint8_t *bytes = ram_at(&e->d.ram, e->buffers);
	uint16_t ids[CHAINS];
	struct used used;

	memset(bytes, 0, CHAINS * 64);
	add(e, ids);
	e->host.left = 0;
	for (unsigned i = 0; i < looks; i++)
		virtio_serve(&e->rng.dev, 0);
	e->host.left = SIZE_MAX;
	while (virtio_serve(&e->rng.dev, 0))
		;
	while (ring_take(&e->d.rings[0], &used))
		;
	for (unsigned i = 0; i < CHAINS; i++)
		lens[i] = (unsigned)strnlen((const char *)bytes + i * 64, 64);
}

/* Requests have the same done to them, however often the queue is looked at meanwhile. */
static void test_numbers(void)
{
	unsigned same = 0, is_short = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		const struct chaos_choice choice = {.on = true, .seed = seed};
		struct entropy *once = bring_up(&choice, true), *often = bring_up(&choice, true);
		bool equal = true;

		for (unsigned round = 0; round < ROUNDS; round++) {
			unsigned a[CHAINS], b[CHAINS];

			look_and_fill(once, 0, a);
			look_and_fill(often, 3 * round, b);
			equal &= memcmp(a, b, sizeof a) == 0;
			is_short += a[0] < 64;
		}
		same += equal;
		tear_down(once);
		tear_down(often);
	}
	is(same, SEEDS, "a seed does the same to a request, by its number in the queue");
	ok(is_short > SEEDS / 8, "which is not the same to each");
}

static void test_needs_reset(void)
{
	struct entropy *e = bring_up(&(struct chaos_choice){.on = true, .reset = true}, true);
	unsigned rounds = 0, lens[CHAINS];

	while (!driver_failed(&e->d) && rounds++ < 1000)
		look_and_fill(e, 0, lens);
	ok(rounds < 1000, "2.1.2 with reset, a device asks for one");
	ok(reg_read(&e->d, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG,
		"2.1.2 and notifies the driver");
	ok(strstr(e->d.host.report, "--chaos"), "and the user is told why");
	tear_down(e);
}

static void each_form(void)
{
	test_clauses();
	test_reset();
	test_numbers();
}

int main(void)
{
	for_each_ring_form(each_form);
	test_features();
	test_needs_reset();
	return tap_done();
}
