/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/polling.h"

#include "io/loop.h"
#include "monotonic.h"

/* The first look, after a wait that was short. */
#define FIRST_NS 10000

/* How long a thread looks at queues that are busy, before it looks at what else it has to do. */
#define BUSY_NS 1000000

/* Looks at the queues between two looks at the time. */
#define LOOKS 8

struct polling polling_fixed(unsigned us)
{
	return (struct polling){.max_ns = us * UINT64_C(1000), .window_ns = us * UINT64_C(1000)};
}

struct polling polling_adaptive(void)
{
	return (struct polling){.max_ns = POLLING_ADAPTIVE_US * UINT64_C(1000), .adapts = true};
}

static void adapt(struct polling *polling, uint64_t now)
{
	uint64_t waited = now - polling->waits_since_ns;

	if (waited > polling->max_ns)
		polling->window_ns = 0;
	else if (polling->window_ns == 0)
		polling->window_ns = FIRST_NS;
	else if (2 * polling->window_ns <= polling->max_ns)
		polling->window_ns *= 2;
	else
		polling->window_ns = polling->max_ns;
}

/* The other thread of the processor, where it has two, may be the guest's. */
static void relax(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#endif
}

/* Returns whether one was served. Sets *more if there is more to do at once. */
static bool look_once(struct virtio_device *virtio, bool *more)
{
	bool served = false;

	for (unsigned queue = 0; queue < virtio->queue_count; queue++)
		served |= virtio_poll(virtio, queue, more);
	return served;
}

static bool look_some_times(struct virtio_device *virtio, bool *more)
{
	for (unsigned i = 0; i < LOOKS && !*more; i++) {
		if (look_once(virtio, more))
			return true;
		relax();
	}
	return false;
}

/* Looks until nothing has come for so long. Returns true if it ends before that. */
static bool look_for_a_while(struct polling *polling, struct virtio_device *virtio)
{
	uint64_t now = monotonic_ns();
	uint64_t end = now + polling->window_ns, limit = now + BUSY_NS;

	for (unsigned queue = 0; queue < virtio->queue_count; queue++)
		virtio_silence(virtio, queue);
	while (now < end && now < limit && !polling->has_more) {
		bool served = look_some_times(virtio, &polling->has_more);

		now = monotonic_ns();
		if (served)
			end = now + polling->window_ns;
	}
	return now < end || polling->has_more;
}

/* Asks for kicks. */
static void serve_all(struct polling *polling, struct virtio_device *virtio)
{
	polling->has_more = false;
	for (unsigned queue = 0; queue < virtio->queue_count; queue++)
		polling->has_more |= virtio_serve(virtio, queue);
}

int64_t polling_look(struct polling *polling, struct virtio_device *virtio)
{
	/* Then the kick that ended the wait, if one did, was left to this function. */
	bool was_on = polling_is_on(polling);

	if (polling->max_ns == 0)
		return IO_FOREVER;
	if (polling->adapts && polling->waits_since_ns != 0)
		adapt(polling, monotonic_ns());
	polling->waits_since_ns = 0;
	if (!polling->has_more && polling_is_on(polling) && look_for_a_while(polling, virtio))
		return 0;
	if (was_on || polling_is_on(polling) || polling->has_more)
		serve_all(polling, virtio);
	if (polling->has_more)
		return 0;
	polling->waits_since_ns = monotonic_ns();
	return IO_FOREVER;
}
