/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_PACKED_H
#define VIRTIO_PACKED_H

/* The packed virtqueue format (virtio 2.8), which include/vole/virtio_ring.h draws. */

#include "ring.h"

extern const struct virtq_ring_ops virtq_packed_ops;

#endif
