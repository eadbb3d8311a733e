/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_PACKED_H
#define GUEST_PACKED_H

/* The packed virtqueue format (virtio 2.8), the driver's half: vole/virtio_ring.h draws it. */

#include "ring.h"

extern const struct virtq_ring_ops virtq_packed_format;

#endif
