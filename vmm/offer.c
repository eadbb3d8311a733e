/* SPDX-License-Identifier: BSD-2-Clause */
#include "offer.h"

#include <errno.h>
#include <string.h>

#include "virtio.h"

static const struct {
	const char *name;
	unsigned bit;
} features[] = {
	{"indirect", VIRTIO_F_INDIRECT_DESC},
	{"event-idx", VIRTIO_F_EVENT_IDX},
	{"ring-reset", VIRTIO_F_RING_RESET},
	{"packed", VIRTIO_F_RING_PACKED},
	{"in-order", VIRTIO_F_IN_ORDER},
	{"notification-data", VIRTIO_F_NOTIFICATION_DATA},
};

/* The feature with this name, which is not terminated; 0 if there is none. */
static uint64_t feature_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		if (strlen(features[i].name) == len && memcmp(features[i].name, name, len) == 0)
			return VIRTIO_BIT(features[i].bit);
	return 0;
}

int feature_choose(struct feature_choice *choice, const char *word)
{
	size_t len = strcspn(word, "=");
	uint64_t feature = feature_find(word, len);

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

uint64_t features_offered(const struct feature_choice *all, const struct feature_choice *own)
{
	uint64_t offered = VIRTIO_QUEUE_DEFAULT;

	offered = (offered | all->on) & ~all->off;
	return (offered | own->on) & ~own->off;
}
