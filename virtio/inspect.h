/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_INSPECT_H
#define VIRTIO_INSPECT_H

/*
 * What a device knows of itself, as a copy, for those who look for the reason why a guest waits.
 * Looking changes nothing, neither in the device nor in guest memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "virtio.h"
#include "virtq_view.h"

struct virtio_view {
	const char *name; /* of its type: "block" */
	bool is_busy;     /* a request has kept the device's lock for all the time that the look
			   * had: the rest is 0 */
	uint8_t status;
	uint64_t offered, accepted; /* features */
	uint32_t interrupt_status;  /* VIRTIO_MMIO_INT_ bits that nobody has acknowledged */
	bool taken_away;    /* the last acknowledgement cleared a bit that was set again after
			  * InterruptStatus had been read, and no notification came since */
	bool served_lately; /* a queue was, within the last tenth of a second: what the driver
			     * seems to owe may be on its way */
	bool at_host;       /* the host works for a request, and has done so for longer */
	unsigned queue_count;
	struct virtq_view queues[VIRTIO_QUEUES_MAX];
};

/* Sets *view. Any thread. Takes the device's lock, for which it waits 200 milliseconds at most: the
 * host may not come back from a request. */
void virtio_inspect(struct virtio_device *dev, struct virtio_view *view);

#endif
