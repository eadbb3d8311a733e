/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial port's registers, without KVM. Clauses: PC16550D data sheet ("16550"). What Linux's
 * 8250 driver does to find out which chip it has is done here in its order.
 */
#include "chips/uart.h"

#include <errno.h>
#include <string.h>

#include "../driver.h"
#include "../tap.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

struct fixture {
	struct fake_console host;
	struct uart uart;
	unsigned raised;
};

static void raise_interrupt(void *ctx)
{
	((struct fixture *)ctx)->raised++;
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	fake_console_init(&f->host, 0, 0);
	uart_init(&f->uart, &f->host.backend, raise_interrupt, f);
}

/* As a driver has it at work: FIFOs on, trigger level 8, DTR, RTS, OUT2. */
static void setup_open(struct fixture *f)
{
	setup(f);
	uart_write(&f->uart, FCR, 0x81);
	uart_write(&f->uart, MCR, 0x0b);
}

static void input(struct fixture *f, const char *text)
{
	f->host.input = (const uint8_t *)text;
	f->host.input_len = strlen(text);
	if (f->host.input_wanted)
		uart_ready(&f->uart);
}

static void put(struct fixture *f, const char *text)
{
	for (; *text; text++)
		uart_write(&f->uart, DATA, (uint8_t)*text);
}

/* Everything that is there to be read, up to len - 1 bytes. */
static const char *get(struct fixture *f, char *text, size_t len)
{
	size_t n = 0;

	while (n + 1 < len && uart_read(&f->uart, LSR) & 0x01)
		text[n++] = (char)uart_read(&f->uart, DATA);
	text[n] = '\0';
	return text;
}

static unsigned raised(struct fixture *f)
{
	unsigned count = f->raised;

	f->raised = 0;
	return count;
}

static void test_reset(void)
{
	struct fixture f;

	setup(&f);
	is(uart_read(&f.uart, IER), 0, "16550 table I: IER is 0 after reset");
	is(uart_read(&f.uart, IIR), 0x01, "IIR: no interrupt, no FIFO");
	is(uart_read(&f.uart, LCR), 0, "LCR is 0");
	is(uart_read(&f.uart, MCR), 0, "MCR is 0");
	is(uart_read(&f.uart, LSR), 0x60, "LSR: THRE and TEMT");
	is(uart_read(&f.uart, MSR), 0xb0, "MSR: CTS, DSR and DCD, no change");
	ok(!f.host.input_wanted && !f.host.output_wanted, "nothing is wanted of the host");
	is(f.raised, 0, "no interrupt");
	uart_free(&f.uart);
}

static void test_registers(void)
{
	struct fixture f;

	setup(&f);
	for (unsigned value = 0; value < 256; value += 85) {
		uart_write(&f.uart, SCR, (uint8_t)value);
		is(uart_read(&f.uart, SCR), value, "8.9: the scratch register keeps 0x%02x", value);
	}
	uart_write(&f.uart, LCR, 0x83);
	uart_write(&f.uart, 0, 0x0c);
	uart_write(&f.uart, 1, 0x34);
	is(uart_read(&f.uart, 0), 0x0c, "8.1: DLL is at 0 while DLAB is set");
	is(uart_read(&f.uart, 1), 0x34, "and DLM at 1");
	uart_write(&f.uart, LCR, 0x03);
	is(uart_read(&f.uart, LCR), 0x03, "LCR keeps what is written");
	is(uart_read(&f.uart, IER), 0, "DLM is not IER");
	is(uart_read(&f.uart, DATA), 0, "DLL is not RBR");
	is(f.host.output_len + f.uart.sent_count, 0, "DLL was not sent");
	uart_write(&f.uart, LSR, 0xff);
	uart_write(&f.uart, MSR, 0xff);
	is(uart_read(&f.uart, LSR), 0x60, "LSR does not change when it is written");
	is(uart_read(&f.uart, MSR), 0xb0, "nor does MSR");
	uart_write(&f.uart, MCR, 0xff);
	is(uart_read(&f.uart, MCR), 0x1f, "8.6: MCR has five bits");
	uart_free(&f.uart);
}

/* The order of autoconfig() and of serial8250_do_startup(). */
static void test_linux(void)
{
	struct fixture f;
	uint8_t status;

	setup(&f);
	uart_write(&f.uart, IER, 0x00);
	is(uart_read(&f.uart, IER), 0, "Linux: IER can be 0");
	uart_write(&f.uart, IER, 0xff);
	is(uart_read(&f.uart, IER), 0x0f,
		"Linux: IER has four bits, so no sleep mode and no XScale");
	uart_write(&f.uart, IER, 0x00);
	uart_write(&f.uart, MCR, 0x1a);
	is(uart_read(&f.uart, MSR) & 0xf0, 0x90,
		"Linux: looped back, RTS and OUT2 read as CTS and DCD");
	uart_write(&f.uart, MCR, 0x00);
	uart_write(&f.uart, LCR, 0xbf);
	uart_write(&f.uart, 2, 0x00);
	uart_write(&f.uart, LCR, 0x00);
	uart_write(&f.uart, FCR, 0x01);
	is(uart_read(&f.uart, IIR) >> 6, 3, "Linux: FIFOs that work, a 16550A");
	uart_write(&f.uart, LCR, 0x80);
	ok(uart_read(&f.uart, 2) != 0, "Linux: no EFR behind DLAB, so no 16650");
	uart_write(&f.uart, LCR, 0xbf);
	ok(uart_read(&f.uart, 2) != 0, "Linux: nor behind 0xbf");
	uart_write(&f.uart, LCR, 0xe0);
	status = uart_read(&f.uart, 2);
	uart_write(&f.uart, LCR, 0x00);
	uart_write(&f.uart, MCR, 0x10);
	uart_write(&f.uart, LCR, 0xe0);
	is((uart_read(&f.uart, 2) ^ status) & 0x10, 0,
		"Linux: no SuperI/O of National Semiconductor");
	uart_write(&f.uart, LCR, 0x00);
	uart_write(&f.uart, MCR, 0x00);
	uart_write(&f.uart, FCR, 0x21);
	status = uart_read(&f.uart, IIR) >> 5;
	uart_write(&f.uart, LCR, 0x80);
	uart_write(&f.uart, FCR, 0x21);
	ok(status == 6 && uart_read(&f.uart, IIR) >> 5 == 6, "Linux: no FIFO of 64 bytes");
	uart_write(&f.uart, LCR, 0x00);

	uart_write(&f.uart, IER, 0x02);
	is(uart_read(&f.uart, IIR) & 0x0f, 0x02, "Linux: THRE interrupts as soon as it may");
	uart_write(&f.uart, IER, 0x00);
	uart_write(&f.uart, IER, 0x02);
	is(uart_read(&f.uart, IIR) & 0x0f, 0x02, "Linux: and again, so no backup timer is needed");
	is(uart_read(&f.uart, IIR) & 0x0f, 0x01, "8.5: reading IIR answers a THRE interrupt");
	uart_free(&f.uart);
}

static void test_output(void)
{
	struct fixture f;

	setup_open(&f);
	put(&f, "hello");
	ok(f.host.output_wanted, "bytes are to go out");
	is(f.host.output_len, 0, "a vCPU thread does not write to the host");
	ok(!uart_ready(&f.uart), "all of it is taken");
	ok(f.host.output_len == 5 && memcmp(f.host.output, "hello", 5) == 0, "in order");
	ok(!f.host.output_wanted, "then nothing is wanted any more");
	is(f.raised, 0, "no interrupt that was not asked for");
	put(&f, "x");
	f.host.output_error = -EIO;
	uart_ready(&f.uart);
	is(f.uart.sent_count, 0, "what the host cannot write is lost, and nothing waits");
	uart_free(&f.uart);
}

/* A guest that is as fast as the host: for each byte that this takes, it sends one more. */
static ssize_t take_one(struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	struct fixture *f = (struct fixture *)backend;

	(void)iov;
	(void)count;
	uart_write(&f->uart, DATA, 'x');
	f->host.output_len++;
	return 1;
}

static void test_bound(void)
{
	struct console_backend_ops ops;
	struct fixture f;

	setup_open(&f);
	ops = *f.host.backend.ops;
	ops.write = take_one;
	f.host.backend.ops = &ops;
	put(&f, "x");
	ok(uart_ready(&f.uart), "a guest that goes on sending is to wait for its turn");
	is(f.host.output_len, UART_BUFFER, "after a buffer's worth");
	ok(f.host.output_wanted, "and has it");
	uart_free(&f.uart);
}

static void test_back_pressure(void)
{
	struct fixture f;
	unsigned count = 0;

	setup_open(&f);
	f.host.output_room = 0;
	while (uart_read(&f.uart, LSR) & 0x20 && count < 2 * UART_BUFFER) {
		for (unsigned i = 0; i < UART_FIFO; i++, count++)
			uart_write(&f.uart, DATA, (uint8_t)count);
		uart_ready(&f.uart);
	}
	is(count, UART_BUFFER, "THRE goes away once there is no room for a FIFO's load");
	is(uart_read(&f.uart, LSR), 0, "TEMT goes with it");
	uart_write(&f.uart, DATA, 'x');
	is(f.uart.sent_count, UART_BUFFER, "a byte too much is lost");
	uart_write(&f.uart, IER, 0x02);
	is(raised(&f), 0, "no THRE interrupt while there is no room");
	is(uart_read(&f.uart, IIR) & 0x0f, 0x01, "and none is shown");
	f.host.output_room = UART_FIFO - 1;
	ok(!uart_ready(&f.uart), "the host takes a little, and there is no use in asking at once");
	ok(f.host.output_wanted, "and is asked for more");
	is(raised(&f), 0, "too little to interrupt");
	f.host.output_room = 1;
	ok(!uart_ready(&f.uart), "and one byte more");
	is(raised(&f), 1, "then there is room for a load, and an interrupt");
	is(uart_read(&f.uart, LSR), 0x60, "THRE is back");
	f.host.output_room = SIZE_MAX;
	ok(!uart_ready(&f.uart), "the host takes the rest");
	is(f.host.output_len, UART_BUFFER, "all of it");
	count = 0;
	for (unsigned i = 0; i < sizeof f.host.output; i++)
		count += f.host.output[i] == (uint8_t)i;
	is(count, sizeof f.host.output, "in order");
	uart_free(&f.uart);
}

static void test_input(void)
{
	struct fixture f;
	char text[64];

	setup(&f);
	input(&f, "early");
	is(uart_read(&f.uart, LSR), 0x60, "nothing comes in before the guest listens");
	uart_write(&f.uart, FCR, 0x07);
	uart_write(&f.uart, MCR, 0x02);
	ok(f.host.input_wanted, "RTS asks for input");
	input(&f, "a line that is longer than the FIFO\n");
	is(uart_read(&f.uart, LSR) & 0x01, 0x01, "8.3: LSR.DR");
	ok(!f.host.input_wanted, "nothing more is wanted while there is some");
	is(strcmp(get(&f, text, sizeof text), "a line that is l"), 0, "a FIFO's load");
	ok(f.host.input_wanted, "the FIFO is empty: more is wanted");
	uart_ready(&f.uart);
	get(&f, text, sizeof text);
	uart_ready(&f.uart);
	is(strcmp(get(&f, text, sizeof text), "IFO\n"), 0, "the rest");
	is(uart_read(&f.uart, DATA), 0, "an empty FIFO reads as 0");
	input(&f, "lost");
	uart_write(&f.uart, FCR, 0x03);
	is(uart_read(&f.uart, LSR) & 0x01, 0, "8.4: FCR empties the receiver's FIFO");
	uart_write(&f.uart, MCR, 0x00);
	ok(!f.host.input_wanted, "without RTS no input is wanted");
	uart_write(&f.uart, IER, 0x01);
	ok(f.host.input_wanted, "a guest that wants to be interrupted by it listens too");
	f.host.input_end = true;
	uart_ready(&f.uart);
	ok(!f.host.input_wanted, "after its end no input is wanted");
	is(uart_read(&f.uart, LSR) & 0x01, 0, "and none is there");
	uart_free(&f.uart);
}

static void test_input_without_fifo(void)
{
	struct fixture f;

	setup(&f);
	uart_write(&f.uart, MCR, 0x0a);
	uart_write(&f.uart, IER, 0x01);
	input(&f, "ab");
	is(raised(&f), 1, "without FIFOs: an interrupt for a byte");
	is(uart_read(&f.uart, IIR), 0x04, "8.5: received data");
	is(uart_read(&f.uart, DATA), 'a', "the byte");
	is(uart_read(&f.uart, LSR) & 0x01, 0, "a single one");
	uart_ready(&f.uart);
	is(raised(&f), 1, "an interrupt for the next byte");
	uart_write(&f.uart, FCR, 0x01);
	is(uart_read(&f.uart, LSR) & 0x01, 0, "8.4: turning FIFOs on empties them");
	uart_free(&f.uart);
}

static void test_interrupts(void)
{
	struct fixture f;
	char text[64];

	setup_open(&f);
	uart_write(&f.uart, IER, 0x01);
	input(&f, "1234567");
	is(raised(&f), 1, "input interrupts");
	is(uart_read(&f.uart, IIR), 0xcc, "8.5: below the trigger level it is the time-out");
	is(uart_read(&f.uart, IIR), 0xcc, "which stays until the bytes are read");
	get(&f, text, sizeof text);
	is(uart_read(&f.uart, IIR), 0xc1, "then there is none");
	is(raised(&f), 0, "nor an edge");
	input(&f, "12345678");
	is(uart_read(&f.uart, IIR), 0xc4, "from the trigger level on it is received data");
	is(raised(&f), 1, "with an edge of its own");
	is(uart_read(&f.uart, DATA), '1', "the first byte of it");
	ok(!f.host.input_wanted, "the next load waits until this one is read");
	is(strcmp(get(&f, text, sizeof text), "2345678"), 0, "the others");

	uart_write(&f.uart, IER, 0x03);
	is(raised(&f), 1, "8.7: THRE interrupts when it is let through");
	is(uart_read(&f.uart, IIR), 0xc2, "8.5: THRE");
	is(uart_read(&f.uart, IIR), 0xc1, "8.5: which reading IIR answers");
	put(&f, "0123456789abcdef");
	is(raised(&f), 1, "a load is out at once: one interrupt");
	uart_ready(&f.uart);
	is(raised(&f), 0, "and none when the host has taken it");
	input(&f, "12345678");
	is(raised(&f), 1, "another cause has an edge of its own");
	is(uart_read(&f.uart, IIR), 0xc4, "8.5: received data comes before THRE");
	get(&f, text, sizeof text);
	is(uart_read(&f.uart, IIR), 0xc2, "then THRE");

	uart_write(&f.uart, MCR, 0x03);
	input(&f, "x");
	is(raised(&f), 0, "no interrupt while OUT2 is off");
	uart_write(&f.uart, MCR, 0x0b);
	is(raised(&f), 1, "but once it is on");
	uart_write(&f.uart, IER, 0x00);
	is(uart_read(&f.uart, IIR), 0xc1, "8.7: what is not let through does not show");
	uart_free(&f.uart);

	setup(&f);
	f.uart.ignores_out2 = true;
	uart_write(&f.uart, IER, 0x02);
	is(raised(&f), 1, "an interrupt while OUT2 is off, if the board ignores it");
	uart_free(&f.uart);
}

static void test_loop(void)
{
	struct fixture f;
	char text[64];

	setup_open(&f);
	uart_read(&f.uart, MSR);
	uart_write(&f.uart, IER, 0x08);
	uart_write(&f.uart, MCR, 0x18);
	is(raised(&f), 1, "a change of modem lines interrupts");
	is(uart_read(&f.uart, IIR), 0xc0, "8.5: modem status");
	is(uart_read(&f.uart, MSR), 0x83, "8.8: CTS and DSR changed");
	is(uart_read(&f.uart, IIR), 0xc1, "8.8: reading MSR answers it");
	uart_write(&f.uart, MCR, 0x1f);
	is(uart_read(&f.uart, MSR), 0xf3, "8.6: looped back, the four outputs are the four inputs");
	uart_write(&f.uart, MCR, 0x18);
	is(uart_read(&f.uart, MSR), 0x87, "8.8: what changed; RI's end too");
	uart_write(&f.uart, MCR, 0x1c);
	is(uart_read(&f.uart, MSR), 0xc0, "8.8: but not RI's beginning");
	uart_write(&f.uart, MCR, 0x1b);
	put(&f, "back");
	is(strcmp(get(&f, text, sizeof text), "back"), 0,
		"8.6: looped back, what is sent is received");
	is(f.host.output_len + f.uart.sent_count, 0, "and not sent to the host");
	put(&f, "0123456789abcdefX");
	uart_write(&f.uart, IER, 0x04);
	is(uart_read(&f.uart, IIR), 0xc6, "8.5: an overrun is a line status interrupt");
	is(uart_read(&f.uart, LSR), 0x63, "8.3: OE");
	is(uart_read(&f.uart, LSR), 0x61, "8.3: until LSR was read");
	is(strcmp(get(&f, text, sizeof text), "0123456789abcdef"), 0,
		"the FIFO is not overwritten");
	input(&f, "x");
	is(uart_read(&f.uart, LSR) & 0x01, 0, "no input from the host while looped back");
	uart_free(&f.uart);
}

int main(void)
{
	test_reset();
	test_registers();
	test_linux();
	test_output();
	test_bound();
	test_back_pressure();
	test_input();
	test_input_without_fifo();
	test_interrupts();
	test_loop();
	return tap_done();
}
