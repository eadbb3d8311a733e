/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CONTAINER_H
#define VIRTIO_CONTAINER_H

#include <stddef.h>

/* From a structure to the one that embeds it: pointer is to member of a type. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
