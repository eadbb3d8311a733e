/* SPDX-License-Identifier: BSD-2-Clause */
#include "feature_choice.h"

#include <errno.h>
#include <string.h>

#include <vole/virtio_blk.h>

#include "virtio.h"

struct feature {
	const char *name;
	unsigned bit;
};

static const struct feature of_all[] = {
	{"indirect", VIRTIO_F_INDIRECT_DESC},
	{"event-idx", VIRTIO_F_EVENT_IDX},
	{"ring-reset", VIRTIO_F_RING_RESET},
	{"packed", VIRTIO_F_RING_PACKED},
	{"in-order", VIRTIO_F_IN_ORDER},
	{"notification-data", VIRTIO_F_NOTIFICATION_DATA},
};

static const struct feature of_disks[] = {
	{"flush", VIRTIO_BLK_F_FLUSH},
	{"config-wce", VIRTIO_BLK_F_CONFIG_WCE},
	{"discard", VIRTIO_BLK_F_DISCARD},
	{"write-zeroes", VIRTIO_BLK_F_WRITE_ZEROES},
	{"size-max", VIRTIO_BLK_F_SIZE_MAX},
	{"seg-max", VIRTIO_BLK_F_SEG_MAX},
	{"blk-size", VIRTIO_BLK_F_BLK_SIZE},
	{"topology", VIRTIO_BLK_F_TOPOLOGY},
};

#define COUNT(features) (sizeof(features) / sizeof *(features))

/* Note a word about one of these features. */
static int choose(struct feature_choice *choice, const struct feature *features, size_t count,
	const char *word)
{
	size_t len = strcspn(word, "=");
	uint64_t feature = 0;

	/* The name in word is not terminated. */
	for (size_t i = 0; i < count; i++)
		if (strlen(features[i].name) == len && memcmp(features[i].name, word, len) == 0)
			feature = VIRTIO_BIT(features[i].bit);
	if (!feature)
		return -ENOENT;
	if (strcmp(word + len, "=on") == 0) {
		choice->on |= feature;
		choice->off &= ~feature;
	} else if (strcmp(word + len, "=off") == 0) {
		choice->off |= feature;
		choice->on &= ~feature;
	} else {
		return -EINVAL;
	}
	return 0;
}

int feature_choose(struct feature_choice *choice, const char *word)
{
	return choose(choice, of_all, COUNT(of_all), word);
}

int feature_choose_disk(struct feature_choice *choice, const char *word)
{
	int ret = choose(choice, of_disks, COUNT(of_disks), word);

	return ret == -ENOENT ? feature_choose(choice, word) : ret;
}

const char *feature_missing(const struct feature_choice *own, uint64_t offered)
{
	for (size_t i = 0; i < COUNT(of_disks); i++)
		if (own->on & ~offered & VIRTIO_BIT(of_disks[i].bit))
			return of_disks[i].name;
	return NULL;
}

uint64_t features_offered(const struct feature_choice *all, const struct feature_choice *own)
{
	uint64_t offered = VIRTIO_QUEUE_DEFAULT;

	offered = (offered | all->on) & ~all->off;
	return (offered | own->on) & ~own->off & VIRTIO_QUEUE_FEATURES;
}
