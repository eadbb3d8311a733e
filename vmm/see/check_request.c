/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: what requests ask of devices, as far as these bear it. */
#include <vole/virtio_blk.h>
#include <vole/virtio_console.h>

#include "see/check_parts.h"
#include "see/check_say.h"

static void look_at_block(struct check *check, const struct event *event, const struct chain *chain)
{
	int queue = event->virtio->queue;
	struct virtio_blk_req header;
	uint64_t sector;

	if (chain_read(chain, 0, &header, sizeof header) < sizeof header)
		return; /* which the device reports */
	sector = le64_to_cpu(header.sector);
	switch (le32_to_cpu(header.type)) {
	case VIRTIO_BLK_T_FLUSH:
		if (sector != 0)
			check_broken(check, event, CHECK_BLOCK_FLUSH, queue,
				"flush with sector %" PRIu64, sector);
		break;
	case VIRTIO_BLK_T_GET_ID:
		/* And a status byte. */
		if (chain->writable_len > 0 && chain->writable_len != VIRTIO_BLK_ID_BYTES + 1)
			check_broken(check, event, CHECK_BLOCK_ID, queue,
				"request for the serial number with %" PRIu64 " bytes for it",
				chain->writable_len - 1);
		break;
	default:
		break;
	}
}

/* Receive queues have even numbers (virtio 5.3.2). */
static void look_at_console(
	struct check *check, const struct event *event, const struct chain *chain)
{
	int queue = event->virtio->queue;

	if (queue % 2 == 0 && chain->readable_len > 0)
		check_broken(check, event, CHECK_CONSOLE_READABLE, queue,
			"chain %u, %" PRIu64 " device-readable byte%s", chain->id,
			chain->readable_len, PLURAL(chain->readable_len));
	if (queue % 2 == 1 && chain->writable_len > 0)
		check_broken(check, event, CHECK_CONSOLE_WRITABLE, queue,
			"chain %u, %" PRIu64 " device-writable byte%s", chain->id,
			chain->writable_len, PLURAL(chain->writable_len));
}

void check_request(struct check *check, const struct event *event)
{
	const struct chain *chain = event->virtio->chain;

	switch (event->device->ops->id) {
	case VIRTIO_ID_BLOCK:
		look_at_block(check, event, chain);
		break;
	case VIRTIO_ID_CONSOLE:
		look_at_console(check, event, chain);
		break;
	case VIRTIO_ID_ENTROPY:
		if (chain->readable_len > 0)
			check_broken(check, event, CHECK_RNG_READABLE, event->virtio->queue,
				"chain %u, %" PRIu64 " device-readable byte%s", chain->id,
				chain->readable_len, PLURAL(chain->readable_len));
		break;
	default:
		break;
	}
}
