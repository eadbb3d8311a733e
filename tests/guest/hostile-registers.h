/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_HOSTILE_REGISTERS_H
#define TESTS_GUEST_HOSTILE_REGISTERS_H

/* Attacks by the registers of a device, whichever it is. */

#include "hostile.h"

/* Phases of a device in which an attack begins. */
enum phase {
	RESET,  /* Status is 0 */
	CHOSEN, /* features are agreed on, queues are not set up */
	LIVE,
};

struct attack {
	const char *name;
	enum phase phase;
	enum outcome expected;
	void (*perform)(void);
};

static struct target *victim;
static struct mmio *dev;
static struct virtq *vq; /* its first queue */

/* Requests of one byte each, to whatever queue the first one is: they come back. */
static inline bool goes_on(void)
{
	static uint8_t byte;
	struct virtq_buffer writable = {&byte, 1};
	uint64_t begin = read_tsc();
	unsigned left = 0;
	uint32_t len;

	while (left < 3 && virtq_add(vq, &writable, 0, 1, &byte) == 0)
		left++;
	virtq_kick(vq);
	while (left && !has_failed(dev) && timer_microseconds(read_tsc() - begin) < PATIENCE_US)
		left -= virtq_take(vq, &len) == &byte;
	return !left && !has_failed(dev);
}

static inline void try_attack(const struct attack *attack, uint64_t declined)
{
	if (attack->phase == LIVE)
		bring_up(victim, declined);
	else if (attack->phase == CHOSEN)
		choose(victim, declined);
	else
		mmio_reset(dev);
	attack->perform();
	if (attack->expected == FAILS)
		check(has_failed(dev), "%s: \"%s\" fails", victim->name, attack->name);
	if (attack->expected == GOES_ON)
		check(goes_on(), "%s: goes on after \"%s\"", victim->name, attack->name);
	check_aftermath(victim, declined, attack->name);
}

/* Each attack on each device, with split rings and with packed ones. Returns the exit status. */
static inline int attack_all(
	const struct start_info *info, const struct attack *attacks, unsigned count)
{
	static const uint64_t declined[] = {FEATURE(VIRTIO_F_RING_PACKED), 0};

	for (unsigned form = 0; form < 2; form++) {
		start_targets(info, declined[form]);
		for (unsigned t = 0; t < TARGETS; t++) {
			victim = &targets[t];
			dev = victim->dev;
			vq = victim->queues[0];
			for (unsigned i = 0; i < count; i++)
				try_attack(&attacks[i], declined[form]);
		}
	}
	return attacks_done();
}

#endif
