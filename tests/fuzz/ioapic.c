/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/ioapic.h"

#include <assert.h>

#include "input.h"

/* Nothing but an interrupt's message leaves for KVM, and its vector is one that an APIC takes
 * (Intel SDM 3, 11.5.2 and 11.11). */
static void check_routes(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	(void)ctx;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		unsigned delivery = routes[pin].data >> 8 & 7;

		if (!routes[pin].enabled)
			continue;
		assert(routes[pin].address >> 20 == APIC_BASE >> 20);
		assert(delivery == 0 || delivery == 1 || delivery == 4 || delivery == 5);
		assert(delivery > 1 || (routes[pin].data & 0xff) >= 16);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct ioapic ioapic;

	assert(ioapic_init(&ioapic, check_routes, NULL) == 0);
	while (in.next != in.end) {
		unsigned how = take(&in, 1), len = 1u << (how >> 4 & 3);
		uint32_t offset = how & 2 ? take(&in, 2) % PAGE_SIZE : how & 1 ? 0x10 : 0;
		uint64_t value;
		uint8_t bytes[8];

		if (how & 4)
			len = 4;
		if (how & 8) {
			ioapic_read(&ioapic, offset, bytes, len);
			continue;
		}
		value = take(&in, len);
		for (unsigned i = 0; i < len; i++)
			bytes[i] = (uint8_t)(value >> 8 * i);
		ioapic_write(&ioapic, offset, bytes, len);
	}
	ioapic_free(&ioapic);
	return 0;
}
