/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller's ports: each byte is an access, and the next one what is written.
 */
#include <assert.h>
#include <string.h>

#include "chips/i8042.h"
#include "input.h"

static void raise_interrupt(void *ctx)
{
	const struct i8042 *controller = ctx;

	assert(controller->configuration & 1 && controller->queue_len > 0);
}

/* Without the lock: a machine that is reset may be asked. */
static void reset(void *ctx)
{
	i8042_read(ctx, I8042_STATUS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct i8042 controller;

	i8042_init(&controller, raise_interrupt, reset, &controller);
	while (in.next != in.end) {
		unsigned how = (unsigned)take(&in, 1);
		uint16_t port = how & 1 ? I8042_STATUS : I8042_DATA;

		if (how & 2)
			i8042_write(&controller, port, (uint8_t)take(&in, 1));
		else
			i8042_read(&controller, port);
		assert(controller.queue_len <= I8042_QUEUE);
		assert((i8042_read(&controller, I8042_STATUS) & 1) == (controller.queue_len > 0));
	}
	i8042_free(&controller);
	return 0;
}
