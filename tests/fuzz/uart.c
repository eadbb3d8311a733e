/* SPDX-License-Identifier: BSD-2-Clause */
#include "uart.h"

#include <assert.h>
#include <errno.h>

#include "../driver.h"
#include "input.h"

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

/* As often as it takes to get somewhere in a buffer of 64 KiB. */
static void write_often(struct fuzz_uart *f, struct input *in)
{
	unsigned number = take(in, 1) % UART_REGISTERS, count = take(in, 2) * 2;
	uint8_t value = (uint8_t)take(in, 1);

	while (count-- > 0)
		uart_write(&f->uart, number, value);
}

static void judge(const struct fuzz_uart *f)
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
			write_often(&f, &in);
		judge(&f);
	}
	uart_free(&f.uart);
	return 0;
}
