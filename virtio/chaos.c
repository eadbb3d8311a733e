/* SPDX-License-Identifier: BSD-2-Clause */
#include "chaos.h"

#include <stdlib.h>
#include <string.h>

#include <vole/virtio_config.h>

#include "ring.h"

/* Decisions are made for a purpose, each with random numbers of its own. */
enum purpose {
	/* Once for a device, or a queue. */
	TRAITS,
	FEATURES,
	SIZE,

	/* Once for a request. */
	TAKE,
	LATE,
	ORDER,
	LENGTH,
	ERROR,
	RESET,

	/* Again and again, counted for each queue. */
	BATCH,
	INTERRUPT,
	SPURIOUS,
	SILENCE,
	LISTEN,
	CONFIG,
	PURPOSES,
};

/* A seed gives each device traits, a bit each of chaos.traits. */
enum trait {
	TRAIT_TAKE = 1 << 0,
	TRAIT_LATE = 1 << 1,
	TRAIT_ORDER = 1 << 2,
	TRAIT_INTERRUPT = 1 << 3,
	TRAIT_SPURIOUS = 1 << 4,
	TRAIT_SILENCE = 1 << 5,
	TRAIT_LISTEN = 1 << 6,
	TRAIT_LENGTH = 1 << 7,
	TRAIT_CONFIG = 1 << 8,
	TRAIT_SIZE = 1 << 9,
	TRAIT_BATCH = 1 << 10,
};
#define BURST_SHIFT 11 /* of traits, two bits: used chains are shown each 1, 2, 4 or 8 passes */

#define LATE_MAX  6 /* passes */
#define LEAVE_MAX 3 /* looks at the queue by which a request is taken late */

/* Drivers may need three descriptors for a request of one segment. */
#define SIZE_MIN 4

/* A chain that is done, and that the driver has not got back. */
struct held {
	struct chain_used used;
	struct iovec *segments; /* those of the chain: room for VIRTQ_SIZE_MAX */
	uint32_t due;           /* the pass from which on it may be given back */
	uint64_t rank;          /* of those that are due, the lowest goes first */
};

struct chaos_queue {
	struct chaos *chaos;
	unsigned number;
	bool is_stream; /* chains come back in their order, as with IN_ORDER */

	/* Since the start; a reset of the device does not change them. */
	uint32_t draws[PURPOSES]; /* decisions that are counted */
	uint32_t pass;            /* calls of virtio_serve() */
	uint32_t taken, done;     /* requests. The one that the device works on has number done */

	/* Valid while the queue is ready. */
	const struct virtq_ring_ops *base;  /* of its format */
	struct virtq_ring_ops ops;          /* the same, with the functions below */
	bool in_order, batches;             /* IN_ORDER was accepted, for batches; or is_stream */
	unsigned left;                      /* looks that did not take the next request */
	bool untold;                        /* chains were used since the last interrupt */
	bool interrupt_owed, deaf;          /* an interrupt is late; kicks are not asked for yet */
	bool reset_due;                     /* a request was done that the device fails after */
	uint32_t interrupt_due, listen_due; /* passes */
	unsigned held_count, given_count;   /* elements of held: first those that are held, then
					     * those that virtq_publish() gave back, in order */
	struct held held[VIRTQ_SIZE_MAX];   /* each with segments of its own */
	struct iovec segments[VIRTQ_SIZE_MAX][VIRTQ_SIZE_MAX];
};

struct chaos {
	struct chaos_choice choice;
	unsigned number; /* of the device */
	uint32_t traits;
	struct chaos_queue queues[];
};

/* --- decisions -------------------------------------------------------------------------------- */

/* Mixes a word into a hash: the finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable
 * Pseudorandom Number Generators, 2014). */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash += word + UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

static uint64_t decide(const struct chaos *chaos, unsigned queue, enum purpose purpose, uint32_t n)
{
	uint64_t hash = mix(chaos->choice.seed, chaos->number);

	return mix(mix(mix(hash, queue), purpose), n);
}

/* Returns the queue's next random number for this purpose. */
static uint64_t draw(struct chaos_queue *queue, enum purpose purpose)
{
	return decide(queue->chaos, queue->number, purpose, ++queue->draws[purpose]);
}

static bool has(const struct chaos_queue *queue, enum trait trait)
{
	return queue->chaos->traits & trait;
}

/* Returns the random number of a request, by its number. */
static uint64_t of_request(const struct chaos_queue *queue, enum purpose purpose, uint32_t request)
{
	return decide(queue->chaos, queue->number, purpose, request);
}

/* Returns true once in so many times, if the device has the trait. */
static bool happens(
	struct chaos_queue *queue, enum trait trait, enum purpose purpose, unsigned once_in)
{
	return has(queue, trait) && draw(queue, purpose) % once_in == 0;
}

/* Passes count modulo 2^32. */
static bool is_due(const struct chaos_queue *queue, uint32_t due)
{
	return (int32_t)(queue->pass - due) >= 0;
}

/* Returns a pass to come, by a random number. */
static uint32_t later(const struct chaos_queue *queue, uint64_t number)
{
	return queue->pass + 1 + number % LATE_MAX;
}

/* --- a queue's ring --------------------------------------------------------------------------- */

/* Returns at how many looks the next request is left in the queue. */
static unsigned looks_to_leave(const struct chaos_queue *queue)
{
	uint64_t number = of_request(queue, TAKE, queue->taken);

	return has(queue, TRAIT_TAKE) && number % 4 == 0 ? 1 + (number >> 8) % LEAVE_MAX : 0;
}

static int chaos_pop(struct virtq *vq, struct chain *chain)
{
	struct chaos_queue *queue = vq->chaos;
	int got;

	if (queue->left < looks_to_leave(queue) && queue->base->available(vq)) {
		queue->left++;
		return 0;
	}
	got = queue->base->pop(vq, chain);
	if (got > 0) {
		queue->left = 0;
		queue->taken++;
	}
	return got;
}

/* Copies the chain with its segments, since the queue's are those of the chain popped last. */
static void hold_chain(struct held *held, const struct chain *chain, uint32_t len)
{
	held->used = (struct chain_used){.chain = *chain, .len = len};
	memcpy(held->segments, chain->readable, chain->readable_count * sizeof *held->segments);
	held->used.chain.readable = held->segments;
	if (!chain->writable)
		return;
	held->used.chain.writable = held->segments + chain->readable_count;
	memcpy(held->segments + chain->readable_count, chain->writable,
		chain->writable_count * sizeof *held->segments);
}

static void chaos_push(struct virtq *vq, const struct chain *chain, uint32_t len)
{
	struct chaos_queue *queue = vq->chaos;
	struct held *held = &queue->held[queue->held_count++];
	uint64_t number = of_request(queue, LATE, queue->done);
	bool late = has(queue, TRAIT_LATE) && number % 2 == 0;

	hold_chain(held, chain, len);
	held->due = late ? later(queue, number >> 8) : queue->pass;
	held->rank = has(queue, TRAIT_ORDER) ? of_request(queue, ORDER, queue->done) : 0;
	if (queue->chaos->choice.reset && of_request(queue, RESET, queue->done) % 64 == 0)
		queue->reset_due = true;
	queue->done++;
}

/* Returns the next chain to give back, or NULL: in order, the oldest, once it is due. */
static struct held *next_held(struct chaos_queue *queue)
{
	struct held *next = NULL;

	for (unsigned i = 0; i < queue->held_count; i++) {
		struct held *held = &queue->held[i];

		if (is_due(queue, held->due) && (!next || held->rank < next->rank))
			next = held;
		if (queue->in_order)
			break;
	}
	return next;
}

/*
 * Returns how many chains from this one on are given back by one used element. In order, the last
 * of them stands for those before it, if these were written completely (virtio 2.7.9, 2.8.8).
 */
static unsigned batch_len(struct chaos_queue *queue, const struct held *first)
{
	const struct held *last = first, *end = &queue->held[queue->held_count];

	if (!queue->batches || !happens(queue, TRAIT_BATCH, BATCH, 2))
		return 1;
	while (last + 1 < end && is_due(queue, last[1].due) &&
		last->used.len == last->used.chain.writable_len)
		last++;
	return (unsigned)(last - first) + 1;
}

static void move_to_given(struct chaos_queue *queue, struct held *held)
{
	struct held *last = &queue->held[queue->held_count + queue->given_count - 1];
	struct held given = *held;

	memmove(held, held + 1, (size_t)(last - held) * sizeof *held);
	*last = given;
	queue->held_count--;
	queue->given_count++;
}

static void give_back(struct virtq *vq)
{
	struct chaos_queue *queue = vq->chaos;
	uint32_t burst = 1u << (queue->chaos->traits >> BURST_SHIFT & 3);
	struct held *held;

	if (queue->pass % burst != 0)
		return;
	while ((held = next_held(queue)) != NULL) {
		unsigned count = batch_len(queue, held);
		struct chain last = held[count - 1].used.chain;

		for (unsigned i = 0; i + 1 < count; i++)
			last.slots += held[i].used.chain.slots;
		queue->base->push(vq, &last, held[count - 1].used.len);
		queue->untold = true;
		for (unsigned i = 0; i < count; i++)
			move_to_given(queue, held);
	}
}

/*
 * Returns whether the driver is interrupted now, given whether it wants an interrupt for what it
 * got now. One that it wants comes, sooner or later, perhaps together with others. One that it does
 * not want comes only if the device has used a chain of which it has not told: InterruptStatus must
 * not show what did not happen (virtio 4.2.2.1).
 */
static bool decide_interrupt(struct chaos_queue *queue, bool wanted)
{
	if (wanted && !queue->interrupt_owed) {
		queue->interrupt_owed = true;
		queue->interrupt_due = happens(queue, TRAIT_INTERRUPT, INTERRUPT, 2)
					       ? later(queue, draw(queue, INTERRUPT))
					       : queue->pass;
	}
	if (queue->interrupt_owed)
		return is_due(queue, queue->interrupt_due);
	return queue->untold && happens(queue, TRAIT_SPURIOUS, SPURIOUS, 2);
}

static bool chaos_publish(struct virtq *vq)
{
	struct chaos_queue *queue = vq->chaos;
	bool wanted;

	queue->given_count = 0;
	give_back(vq);
	wanted = queue->base->publish(vq);
	if (!decide_interrupt(queue, wanted))
		return false;
	queue->interrupt_owed = queue->untold = false;
	return true;
}

static void chaos_silence(struct virtq *vq)
{
	if (!happens(vq->chaos, TRAIT_SILENCE, SILENCE, 2))
		vq->chaos->base->silence(vq);
}

static void chaos_listen(struct virtq *vq)
{
	struct chaos_queue *queue = vq->chaos;

	if (!queue->deaf && happens(queue, TRAIT_LISTEN, LISTEN, 4)) {
		queue->deaf = true;
		queue->listen_due = later(queue, draw(queue, LISTEN));
	}
	if (queue->deaf && !is_due(queue, queue->listen_due))
		return;
	queue->deaf = false;
	queue->base->listen(vq);
}

void chaos_begin(struct virtq *vq, uint64_t features)
{
	struct chaos_queue *queue = vq->chaos;

	queue->batches = features >> VIRTIO_F_IN_ORDER & 1;
	queue->in_order = queue->batches || queue->is_stream;
	queue->interrupt_owed = queue->untold = queue->deaf = queue->reset_due = false;
	queue->left = queue->held_count = queue->given_count = 0;
	queue->done = queue->taken;
	queue->base = vq->ring;
	queue->ops = *vq->ring;
	queue->ops.pop = chaos_pop;
	queue->ops.push = chaos_push;
	queue->ops.publish = chaos_publish;
	queue->ops.silence = chaos_silence;
	queue->ops.listen = chaos_listen;
	vq->ring = &queue->ops;
}

/* --- devices ---------------------------------------------------------------------------------- */

enum chaos_event chaos_surprise(struct virtq *vq, bool has_hint)
{
	struct chaos_queue *queue = vq->chaos;

	queue->pass++;
	if (queue->reset_due)
		return CHAOS_RESET;
	if (has_hint && happens(queue, TRAIT_CONFIG, CONFIG, 8))
		return CHAOS_CONFIG;
	return CHAOS_NOTHING;
}

bool chaos_is_busy(const struct virtq *vq)
{
	const struct chaos_queue *queue = vq->chaos;

	return queue->held_count > 0 || queue->interrupt_owed || queue->deaf;
}

const struct chain_used *chaos_given(const struct virtq *vq, unsigned i)
{
	const struct chaos_queue *queue = vq->chaos;

	return i < queue->given_count ? &queue->held[queue->held_count + i].used : NULL;
}

uint64_t chaos_short_len(const struct virtq *vq, uint64_t len)
{
	const struct chaos_queue *queue = vq->chaos;
	uint64_t number = of_request(queue, LENGTH, queue->done);
	uint64_t least = 1 + (number >> 8) % 16;

	return has(queue, TRAIT_LENGTH) && number % 2 && least < len ? least : len;
}

bool chaos_request_fails(const struct virtq *vq)
{
	const struct chaos_queue *queue = vq->chaos;

	return queue->chaos->choice.errors && of_request(queue, ERROR, queue->done) % 8 == 0;
}

unsigned chaos_size_max(const struct virtq *vq, unsigned usual, bool packed)
{
	const struct chaos *chaos = vq->chaos->chaos;
	unsigned queue = vq->chaos->number;
	unsigned sizes = 0, size;

	while ((unsigned)SIZE_MIN << (sizes + 1) <= usual)
		sizes++;
	if (!(chaos->traits & TRAIT_SIZE) || sizes == 0)
		return usual;
	size = (unsigned)SIZE_MIN << decide(chaos, queue, SIZE, 0) % sizes;
	/* Below the next power of two, which is at most the usual size. */
	return packed ? size + decide(chaos, queue, SIZE, 1) % size : size;
}

/* Two features that few drivers accept, and that forbid or change much. */
#define RARE ((uint64_t)1 << VIRTIO_F_IN_ORDER | (uint64_t)1 << VIRTIO_F_NOTIFICATION_DATA)

uint64_t chaos_features(const struct chaos *chaos)
{
	uint64_t often = decide(chaos, 0, FEATURES, 0);

	return often & (~RARE | decide(chaos, 0, FEATURES, 1));
}

/* --- making ----------------------------------------------------------------------------------- */

struct chaos *chaos_open(const struct chaos_choice *choice, unsigned number, struct virtq *queues,
	unsigned queue_count, uint32_t streams)
{
	struct chaos *chaos = calloc(1, sizeof *chaos + queue_count * sizeof chaos->queues[0]);

	if (!chaos)
		return NULL;
	chaos->choice = *choice;
	chaos->number = number;
	chaos->traits = (uint32_t)decide(chaos, 0, TRAITS, 0);
	for (unsigned i = 0; i < queue_count; i++) {
		chaos->queues[i].chaos = chaos;
		chaos->queues[i].number = i;
		chaos->queues[i].is_stream = streams >> i & 1;
		for (unsigned j = 0; j < VIRTQ_SIZE_MAX; j++)
			chaos->queues[i].held[j].segments = chaos->queues[i].segments[j];
		queues[i].chaos = &chaos->queues[i];
	}
	return chaos;
}

void chaos_free(struct chaos *chaos)
{
	free(chaos);
}
