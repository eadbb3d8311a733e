/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_SPLIT_H
#define GUEST_SPLIT_H

/* The split virtqueue format (virtio 2.7), the driver's half: vole/virtio_ring.h draws it. */

#include "ring.h"

extern const struct virtq_ring_ops virtq_split_format;

#endif
