/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring_forms.h"

#include "driver.h"
#include "tap.h"

#define BIT(name) VIRTIO_BIT(VIRTIO_F_##name)

void for_each_ring_form(void (*tests)(void))
{
	static const struct {
		const char *name;
		uint64_t features;
	} ring_forms[] = {
		{"", 0},
		{"indirect: ", BIT(INDIRECT_DESC) | BIT(EVENT_IDX)},
		{"packed: ", BIT(RING_PACKED)},
		{"packed, indirect: ", BIT(RING_PACKED) | BIT(INDIRECT_DESC) | BIT(EVENT_IDX)},
		{"in order: ", BIT(IN_ORDER) | BIT(NOTIFICATION_DATA)},
	};

	for (unsigned i = 0; i < sizeof ring_forms / sizeof ring_forms[0]; i++) {
		driver_ring_form = ring_forms[i].features;
		tap_prefix(ring_forms[i].name);
		tests();
	}
	driver_ring_form = 0;
	tap_prefix("");
}
