/* SPDX-License-Identifier: BSD-2-Clause */
#include "rng.h"

#include "error.h"

int rng_init(struct rng *rng, const struct device_map_entry *entry)
{
	int error = mmio_begin(&rng->dev, entry, VIRTIO_ID_ENTROPY, VIRTQ_FEATURES);

	if (!error)
		error = virtq_setup(&rng->vq, &rng->dev, 0);
	if (!error)
		error = mmio_ready(&rng->dev);
	return error;
}

int rng_read(struct rng *rng, void *data, size_t len)
{
	uint8_t *next = data;

	while (len) {
		struct virtq_buffer writable = {next, len};
		uint32_t written;
		int error = virtq_exchange(&rng->vq, &writable, 0, 1, &written);

		/* The device may give less than was asked for (virtio 5.4.6.1); what it has not
		 * written is whatever was there before, and anything but random. */
		if (!error && !written)
			error = -EIO;
		if (error)
			return error;
		next += written;
		len -= written;
	}
	return 0;
}
