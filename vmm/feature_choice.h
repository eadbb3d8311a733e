/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FEATURE_CHOICE_H
#define VMM_FEATURE_CHOICE_H

/*
 * The user's choice of virtio features, by NAME=on or NAME=off. Features that every device can have
 * (VIRTIO_QUEUE_FEATURES of virtio.h) are chosen for all devices and for single ones; features of
 * disks for single disks, not all of which can have them.
 */

#include <stdint.h>

/* Feature bits, as in vole/virtio_config.h and vole/virtio_blk.h. No bit is in both on and off. */
struct feature_choice {
	uint64_t on, off;
};

/* The names of all features, for messages. */
#define FEATURE_NAMES "indirect, event-idx, ring-reset, packed, in-order, notification-data"
#define FEATURE_NAMES_DISK \
	"flush, config-wce, discard, write-zeroes, size-max, seg-max, blk-size, topology"

/*
 * Adds one "NAME=on" or "NAME=off" to a choice; it replaces an earlier one of the same name.
 *   0        added
 *   -ENOENT  no feature has this name
 *   -EINVAL  it is neither on nor off
 */
int feature_choose(struct feature_choice *choice, const char *word);

/* Does as feature_choose() with the features that a disk can have, which are more. */
int feature_choose_disk(struct feature_choice *choice, const char *word);

/* Returns the name of a feature that was switched on for a disk and is not among those offered,
 * NULL if there is none. */
const char *feature_missing(const struct feature_choice *own, uint64_t offered);

/* Returns the features to pass to virtio_offer(): VIRTIO_QUEUE_DEFAULT, changed by the choice for
 * all devices, then by the device's own. */
uint64_t features_offered(const struct feature_choice *all, const struct feature_choice *own);

#endif
