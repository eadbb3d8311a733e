/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_VECTORS_H
#define GUEST_VECTORS_H

/* Interrupt vectors (Intel SDM 3, 6.2). Those below are exceptions. Also for assembly. */

#define VECTOR_IRQ_FIRST 32
#define VECTOR_COUNT     64

#endif
