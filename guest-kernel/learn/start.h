/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_START_H
#define LEARN_START_H

/* Step 2: Status and features. */

#include "find.h"

static uint64_t features; /* those that driver and device have agreed on, one bit each */

PART bool has_feature(unsigned number)
{
	return features >> number & 1;
}

/* Accepts one word of feature bits: those that are offered, as far as they are wanted. */
PART void accept_features(uint32_t word, uint32_t wanted)
{
	uint32_t accepted;

	set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, word);
	accepted = get(VIRTIO_MMIO_DEVICE_FEATURES) & wanted;
	set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
	set(VIRTIO_MMIO_DRIVER_FEATURES, accepted);
	features |= (uint64_t)accepted << 32 * word;
}

/* Steps 1 to 6 of virtio 3.1.1: resets the device, and agrees with it on features. wanted are those
 * that the driver can use besides VERSION_1, which it needs. */
PART void start_device(uint64_t wanted)
{
	uint32_t status = 0;

	wanted |= UINT64_C(1) << VIRTIO_F_VERSION_1;
	set(VIRTIO_MMIO_STATUS, 0);
	while (get(VIRTIO_MMIO_STATUS) != 0)
		;
	set(VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_ACKNOWLEDGE);
	set(VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_DRIVER);
	accept_features(0, (uint32_t)wanted);
#if MISTAKE == 2
	set(VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_FEATURES_OK);
#else
	accept_features(1, (uint32_t)(wanted >> 32));
	set(VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_FEATURES_OK);
	if (!(get(VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_FEATURES_OK))
		fail("The device refuses these features.");
#endif
}

#endif
