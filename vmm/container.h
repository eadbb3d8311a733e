/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CONTAINER_H
#define VMM_CONTAINER_H

#include <stddef.h>

/* The structure of this type whose member is at pointer. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
