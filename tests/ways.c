/* SPDX-License-Identifier: BSD-2-Clause */
#include "ways.h"

#include "driver.h"
#include "tap.h"

#define BIT(name) VIRTIO_BIT(VIRTIO_F_##name)

void each_way(void (*tests)(void))
{
	static const struct {
		const char *name;
		uint64_t features;
	} ways[] = {
		{"", 0},
		{"indirect: ", BIT(INDIRECT_DESC) | BIT(EVENT_IDX)},
		{"packed: ", BIT(RING_PACKED)},
		{"packed, indirect: ", BIT(RING_PACKED) | BIT(INDIRECT_DESC) | BIT(EVENT_IDX)},
		{"in order: ", BIT(IN_ORDER) | BIT(NOTIFICATION_DATA)},
	};

	for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		driver_way = ways[i].features;
		tap_prefix(ways[i].name);
		tests();
	}
	driver_way = 0;
	tap_prefix("");
}
