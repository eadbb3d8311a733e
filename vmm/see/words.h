/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_WORDS_H
#define VMM_WORDS_H

/*
 * Words for what a driver and its device say to each other, in the terms of the specification. Each
 * function adds to a line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "see/text.h"

struct chain;
struct virtio_device;
struct virtio_event;

/* "0x03 (ACKNOWLEDGE, DRIVER)" */
void words_status(struct text *text, uint8_t status);

/* The names of feature bits of a device type, by its device id: "VERSION_1, RING_PACKED". A bit
 * without a name is "bit 50". */
void words_features(struct text *text, uint32_t id, uint64_t features);

/* An access to a register or configuration space of a device with this id, without its direction:
 * "Status = 0x03 (ACKNOWLEDGE, DRIVER)". */
void words_access(struct text *text, uint32_t id, const struct virtio_event *access);

/* Returns what a device id means, "block"; NULL: it has no name here. */
const char *words_device(uint64_t id);

/* What is asked of a device, by the chain that asks it. */
struct request_words {
	uint32_t device; /* its id */
	unsigned queue;
	bool is_multiport;                   /* MULTIPORT was accepted, of a console */
	uint64_t readable_len, writable_len; /* bytes of the chain */
	size_t header_len;
	uint8_t header[16]; /* the first header_len bytes that the device reads */
};

/* What a chain asks of a device, as far as its type has words for it: "read of sector 7, 512
 * bytes". Adds nothing if it has none. */
void words_request(struct text *text, const struct request_words *request);
void words_chain(struct text *text, const struct virtio_device *dev, unsigned queue,
	const struct chain *chain);

/* Returns the name of a disk's status byte, "IOERR"; NULL: it has none. */
const char *words_block_status(unsigned status);

/* By which word of a queue's driver no interrupt is wanted (virtio 2.7.7, 2.8.10): "used_event is
 * 0". The word is as virtq.suppression. */
void words_suppression(struct text *text, bool is_packed, bool has_event_idx, uint32_t word);

/* What has come of a chain that the device has used: ", IOERR". Adds nothing if its type has no
 * words for it. */
void words_result(struct text *text, const struct virtio_device *dev, const struct chain *chain);

#endif
