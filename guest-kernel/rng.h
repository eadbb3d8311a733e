/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_RNG_H
#define GUEST_RNG_H

/* Driver of the entropy device (virtio 5.4): the simplest there is. One CPU at a time. */

#include <stddef.h>

#include <vole/start_info.h>

#include "virtq.h"

struct rng {
	struct mmio dev;
	struct virtq vq;
};

/* Bring the device up. 0, or a negative number of error.h, said why. */
int rng_init(struct rng *rng, const struct device_map_entry *entry);

/* Fill data with random bytes. 0, or -EIO. */
int rng_read(struct rng *rng, void *data, size_t len);

#endif
