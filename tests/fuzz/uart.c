/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/uart.h"

#include <assert.h>
#include <errno.h>

#include "../driver.h"
#include "input.h"

#define SCRATCH 7 /* a register without effect */

struct fuzz_uart {
	struct fake_console host;
	struct uart uart;
};

static void ignore(void *ctx)
{
	(void)ctx;
}

static void host_side(struct fuzz_uart *f, struct input *in)
{
	unsigned how = take(in, 1);

	f->host.input_max = how & 1 ? take(in, 1) : 0;
	f->host.input_end = how & 2;
	f->host.output_error = how & 4 ? -EIO : 0;
	f->host.output_room = how & 8 ? take(in, 2) : SIZE_MAX;
	f->host.input_len = take_bytes(in, how >> 4, &f->host.input);
	if (f->host.input_wanted || f->host.output_wanted)
		uart_ready(&f->uart);
}

/* As if the guest had written until so much room is left; writing it took long. */
static void fill(struct fuzz_uart *f, struct input *in)
{
	unsigned count = UART_BUFFER - take(in, 1);

	if (f->uart.sent_count < count)
		f->uart.sent_count = count;
	uart_write(&f->uart, SCRATCH, 0);
}

static void check_state(const struct fuzz_uart *f)
{
	assert(f->uart.sent_count <= UART_BUFFER && f->uart.sent_first < UART_BUFFER);
	assert(f->uart.received_count <= UART_FIFO && f->uart.received_first < UART_FIFO);
	assert(f->host.output_wanted == (f->uart.sent_count > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_uart f;
	struct input in = input_of(data, size);

	fake_console_init(&f.host, 0, 0);
	assert(uart_init(&f.uart, &f.host.backend, ignore, NULL) == 0);
	while (in.next != in.end) {
		unsigned how = take(&in, 1), number = how % UART_REGISTERS;

		if (how < 0x60)
			uart_write(&f.uart, number, (uint8_t)take(&in, 1));
		else if (how < 0xc0)
			uart_read(&f.uart, number);
		else if (how < 0xf0)
			host_side(&f, &in);
		else
			fill(&f, &in);
		check_state(&f);
	}
	uart_free(&f.uart);
	return 0;
}
