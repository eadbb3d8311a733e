/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FEATURE_CHOICE_H
#define VMM_FEATURE_CHOICE_H

/*
 * What the user says of features of virtio devices, NAME=on or NAME=off: of those that every device
 * can have (VIRTIO_QUEUE_FEATURES of virtio.h), for all devices and for single ones; of those of
 * disks, for single ones. Not every disk can have all of them.
 */

#include <stdint.h>

/* Bits as in vole/virtio_config.h and vole/virtio_blk.h; none is in both. */
struct feature_choice {
	uint64_t on, off;
};

/* All names, for messages. */
#define FEATURE_NAMES "indirect, event-idx, ring-reset, packed, in-order, notification-data"
#define FEATURE_NAMES_DISK \
	"flush, config-wce, discard, write-zeroes, size-max, seg-max, blk-size, topology"

/*
 * Note one "NAME=on" or "NAME=off"; what is said later counts.
 *   0        noted
 *   -ENOENT  no feature has this name
 *   -EINVAL  it is neither on nor off
 */
int feature_choose(struct feature_choice *choice, const char *word);

/* The same for a disk, which has more of them. */
int feature_choose_disk(struct feature_choice *choice, const char *word);

/* The name of a feature that was chosen for a disk, and is not among those that it offers; NULL if
 * there is none. */
const char *feature_missing(const struct feature_choice *own, uint64_t offered);

/* What to virtio_offer(), of VIRTIO_QUEUE_FEATURES: what is usual, unless said otherwise for
 * all, unless said otherwise for this device. */
uint64_t features_offered(const struct feature_choice *all, const struct feature_choice *own);

#endif
