/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_VIRTIO_RNG_H
#define VOLE_VIRTIO_RNG_H

/* Entropy device, device id 4 (virtio 5.4): queue 0, no feature bits, no configuration space. The
 * device fills the writable part of a request with random bytes. */

#define VIRTIO_RNG_REQUEST_MAX 65536 /* bytes that one request gets at most; used len tells */

#endif
