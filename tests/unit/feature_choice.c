/* SPDX-License-Identifier: BSD-2-Clause */
/* Features by name: what is noted, and what a device offers in the end. */
#include "feature_choice.h"

#include <errno.h>
#include <string.h>

#include "../tap.h"
#include "block.h"
#include "virtio.h"

#define INDIRECT VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)
#define IN_ORDER VIRTIO_BIT(VIRTIO_F_IN_ORDER)

/* Choose each of the names that the help text lists, on and off. How often one was not known. */
static unsigned choose_all(char *names, int (*choose)(struct feature_choice *, const char *),
	struct feature_choice *on, struct feature_choice *off)
{
	unsigned unknown = 0;
	char *name;

	while ((name = strsep(&names, ", ")) != NULL) {
		char word[64];

		if (!*name)
			continue;
		unknown += choose(on, strcat(strcpy(word, name), "=on")) != 0;
		unknown += choose(off, strcat(strcpy(word, name), "=off")) != 0;
	}
	return unknown;
}

static void test_names(void)
{
	char names[] = FEATURE_NAMES;
	struct feature_choice on = {0}, off = {0};

	is(choose_all(names, feature_choose, &on, &off), 0, "all names are known");
	ok(on.on == VIRTIO_QUEUE_FEATURES && on.off == 0, "together they are all features, on");
	ok(off.off == VIRTIO_QUEUE_FEATURES && off.on == 0, "and off");
	is(features_offered(&on, &off), 0, "off for the device, though on for all");
	is(features_offered(&off, &on), VIRTIO_QUEUE_FEATURES, "on, though off for all");
}

static void test_names_of_disks(void)
{
	char names[] = FEATURE_NAMES_DISK, again[] = FEATURE_NAMES_DISK;
	const struct feature_choice nothing = {0};
	struct feature_choice on = {0}, off = {0}, none = {0};

	is(choose_all(names, feature_choose_disk, &on, &off), 0, "all names of disks are known");
	choose_all(again, feature_choose, &none, &none);
	ok(none.on == 0 && none.off == 0, "for disks only");
	is(on.on, BLOCK_CHOICES, "together they are all features, on");
	is(off.off, BLOCK_CHOICES, "and off");
	is(features_offered(&nothing, &on), VIRTIO_QUEUE_DEFAULT, "they are none of queues");
	is(feature_choose_disk(&on, "packed=on"), 0, "a disk has those of queues too");
	is(features_offered(&nothing, &on), VIRTIO_QUEUE_DEFAULT | VIRTIO_BIT(VIRTIO_F_RING_PACKED),
		"which are offered");
}

static void test_missing(void)
{
	const uint64_t flush = VIRTIO_BIT(VIRTIO_BLK_F_FLUSH);
	const uint64_t discard = VIRTIO_BIT(VIRTIO_BLK_F_DISCARD);
	const struct feature_choice nothing = {.off = discard};
	const struct feature_choice both = {.on = flush | discard | INDIRECT};
	const char *name;

	ok(!feature_missing(&nothing, 0), "nothing was asked for: nothing is missing");
	ok(!feature_missing(&both, flush | discard), "what was asked for is there");
	name = feature_missing(&both, flush);
	ok(name && strcmp(name, "discard") == 0, "what is not there is named");
}

static void test_words(void)
{
	static const char *const unknown[] = {
		"", "=", "=on", "on", "indirec=on", "indirectt=on", "INDIRECT=on", " indirect=on"};
	static const char *const neither[] = {"indirect", "indirect=", "indirect=On",
		"indirect=on ", "indirect==on", "indirect=1"};
	struct feature_choice choice = {0};

	for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++)
		is(feature_choose(&choice, unknown[i]), (uint64_t)-ENOENT, "\"%s\" is no feature",
			unknown[i]);
	for (unsigned i = 0; i < sizeof neither / sizeof *neither; i++)
		is(feature_choose(&choice, neither[i]), (uint64_t)-EINVAL,
			"\"%s\" is neither on nor off", neither[i]);
	ok(choice.on == 0 && choice.off == 0, "and nothing is noted");

	feature_choose(&choice, "indirect=off");
	feature_choose(&choice, "indirect=on");
	ok(choice.on == INDIRECT && choice.off == 0, "what is said later counts: on");
	feature_choose(&choice, "indirect=off");
	ok(choice.on == 0 && choice.off == INDIRECT, "or off");
}

static void test_offered(void)
{
	const struct feature_choice nothing = {0}, no_indirect = {.off = INDIRECT},
				    in_order = {.on = IN_ORDER};

	is(features_offered(&nothing, &nothing), VIRTIO_QUEUE_DEFAULT, "nothing said: the default");
	is(features_offered(&no_indirect, &nothing), VIRTIO_QUEUE_DEFAULT & ~INDIRECT,
		"off for all: off");
	is(features_offered(&nothing, &no_indirect), VIRTIO_QUEUE_DEFAULT & ~INDIRECT,
		"off for this one: off");
	is(features_offered(&no_indirect, &in_order), (VIRTIO_QUEUE_DEFAULT & ~INDIRECT) | IN_ORDER,
		"each feature is decided by itself");
}

int main(void)
{
	test_names();
	test_names_of_disks();
	test_missing();
	test_words();
	test_offered();
	return tap_done();
}
