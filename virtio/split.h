/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_SPLIT_H
#define VIRTIO_SPLIT_H

/* The split virtqueue format (virtio 2.7), which include/vole/virtio_ring.h draws. */

#include "ring.h"

extern const struct virtq_ring_ops virtq_split_ops;

#endif
