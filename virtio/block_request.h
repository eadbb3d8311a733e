/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_BLOCK_REQUEST_H
#define VIRTIO_BLOCK_REQUEST_H

/*
 * One request of the block device (virtio 5.2.6): a header, data, and one byte of status, in two
 * streams whose cut into descriptors has no meaning (2.7.4.1). Data to be written to the disk
 * follows the header; data read from it precedes the status, which is the last byte that the device
 * writes.
 *
 * A request can be as large as 4 GiB, so it is served in steps, each within a budget, and others
 * have their turn in between.
 */

#include "block.h"

/* What a discard or a write of zeroes may ask for: no more than is good for one step. Zeroes may
 * have to be written; to discard costs little. */
#define BLOCK_DISCARD_SEG_MAX     16
#define BLOCK_DISCARD_SECTORS_MAX 131072
#define BLOCK_ZEROES_SEG_MAX      8
#define BLOCK_ZEROES_SECTORS_MAX  2048

/* request->chain was popped: read its header. False if it has none, or no byte for a status:
 * then there is nothing to do, and no way to answer. */
bool block_request_begin(struct block_request *request);

/*
 * Go on with it, for up to *budget bytes of data, at least 1, which are taken away from *budget;
 * what the host may need long for takes all of it. True if the request is done, its status written:
 * then request->written is the used length. The device's lock is held.
 */
bool block_request_serve(struct virtio_block *blk, struct block_request *request, uint64_t *budget);

#endif
