/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/uart.h"

#include <errno.h>

#include "snapshot/stream.h"

/* Registers by number; 0 to 2 have more than one meaning. 16550, table II. */
enum {
	RBR_THR = 0, /* DLL if LCR.DLAB */
	IER = 1,     /* DLM if LCR.DLAB */
	IIR_FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,
};

#define IER_RECEIVED    0x01
#define IER_TRANSMITTED 0x02
#define IER_LINE        0x04
#define IER_MODEM       0x08
#define IER_BITS        0x0f

#define IIR_NONE        0x01
#define IIR_LINE        0x06
#define IIR_RECEIVED    0x04
#define IIR_TIMEOUT     0x0c /* received, but fewer than the trigger level */
#define IIR_TRANSMITTED 0x02
#define IIR_MODEM       0x00
#define IIR_FIFO        0xc0

#define FCR_ENABLE        0x01
#define FCR_CLEAR_RECEIVE 0x02
#define FCR_TRIGGER       0xc0
#define FCR_TRIGGER_SHIFT 6

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_BITS 0x1f

#define LSR_READY       0x01
#define LSR_OVERRUN     0x02
#define LSR_THRE        0x20
#define LSR_TRANSMITTER 0x40 /* TEMT */

#define MSR_DELTA_RI 0x04 /* set by RI's end alone */
#define MSR_CTS      0x10
#define MSR_DSR      0x20
#define MSR_RI       0x40
#define MSR_DCD      0x80
#define MSR_DELTA    4 /* how far a line is above its delta bit */

int uart_init(
	struct uart *uart, struct console_backend *backend, void (*raise)(void *ctx), void *ctx)
{
	*uart = (struct uart){.backend = backend, .raise = raise, .ctx = ctx};
	return -pthread_mutex_init(&uart->lock, NULL);
}

void uart_free(struct uart *uart)
{
	pthread_mutex_destroy(&uart->lock);
}

/* --- the two directions ----------------------------------------------------------------------- */

static unsigned fifo_size(const struct uart *uart)
{
	return uart->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

/* A byte comes in over the line. */
static void receive(struct uart *uart, uint8_t byte)
{
	if (uart->received_count >= fifo_size(uart)) {
		uart->overrun = true;
		return;
	}
	uart->received[(uart->received_first + uart->received_count++) % UART_FIFO] = byte;
}

static uint8_t take_received(struct uart *uart)
{
	uint8_t byte = uart->received[uart->received_first];

	if (uart->received_count == 0)
		return 0;
	uart->received_first = (uart->received_first + 1) % UART_FIFO;
	uart->received_count--;
	return byte;
}

static bool has_room(const struct uart *uart)
{
	return uart->sent_count <= UART_BUFFER - UART_FIFO;
}

static void transmit(struct uart *uart, uint8_t byte)
{
	if (uart->mcr & MCR_LOOP)
		receive(uart, byte);
	else if (uart->sent_count < UART_BUFFER)
		uart->sent[(uart->sent_first + uart->sent_count++) % UART_BUFFER] = byte;
	/* else a guest that did not wait for THRE loses the byte, as it always did */

	/* The line has no speed: the byte is out already, unless the host is too slow. */
	uart->transmitted = has_room(uart);
}

/* A load of bytes for an empty FIFO. */
static void fetch(struct uart *uart)
{
	struct iovec iov = {.iov_base = uart->received, .iov_len = fifo_size(uart)};
	ssize_t len = uart->backend->ops->read(uart->backend, &iov, 1);

	if (len > 0) {
		uart->received_first = 0;
		uart->received_count = (unsigned)len;
	} else if (len != -EAGAIN) {
		uart->input_ended = true;
	}
}

/* Give the host what it takes now. The lock is not held while it does: a slow host does not stop a
 * vCPU, who may add bytes behind those meanwhile. It cannot keep this thread at it for ever, which
 * has others to serve: true if that ended it, and there is more. */
static bool deliver(struct uart *uart)
{
	unsigned left = UART_BUFFER;

	while (uart->sent_count > 0 && left > 0) {
		unsigned part = UART_BUFFER - uart->sent_first;
		struct iovec iov = {.iov_base = uart->sent + uart->sent_first};
		bool had_room;
		ssize_t len;

		if (part > uart->sent_count)
			part = uart->sent_count;
		iov.iov_len = part < left ? part : left;
		pthread_mutex_unlock(&uart->lock);
		len = uart->backend->ops->write(uart->backend, &iov, 1);
		pthread_mutex_lock(&uart->lock);
		if (len == -EAGAIN)
			return false;
		/* What cannot be written at all is lost. */
		if (len < 0)
			len = (ssize_t)iov.iov_len;
		had_room = has_room(uart);
		uart->sent_first = (uart->sent_first + (unsigned)len) % UART_BUFFER;
		uart->sent_count -= (unsigned)len;
		uart->transmitted |= !had_room && has_room(uart);
		left -= (unsigned)len;
	}
	return uart->sent_count > 0;
}

/* --- modem lines ------------------------------------------------------------------------------ */

/* The other end is always there and ready, unless the lines are looped back. 16550, 8.6. */
static uint8_t modem_lines(const struct uart *uart)
{
	if (!(uart->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
	       (uart->mcr & MCR_OUT1 ? MSR_RI : 0) | (uart->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void set_modem_control(struct uart *uart, uint8_t value)
{
	uint8_t before = modem_lines(uart), after, delta;

	uart->mcr = value & MCR_BITS;
	after = modem_lines(uart);
	delta = (uint8_t)((before ^ after) >> MSR_DELTA);
	if (after & MSR_RI)
		delta &= (uint8_t)~MSR_DELTA_RI;
	uart->msr_delta |= delta;
}

/* --- interrupts ------------------------------------------------------------------------------- */

/* The causes that are up, as the IER bits that let them through. */
static uint8_t causes(const struct uart *uart)
{
	return uart->ier &
	       ((uart->overrun ? IER_LINE : 0) | (uart->received_count > 0 ? IER_RECEIVED : 0) |
		       (uart->transmitted ? IER_TRANSMITTED : 0) |
		       (uart->msr_delta ? IER_MODEM : 0));
}

static unsigned trigger_level(const struct uart *uart)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return uart->fcr & FCR_ENABLE ? levels[(uart->fcr & FCR_TRIGGER) >> FCR_TRIGGER_SHIFT] : 1;
}

/* The cause of highest priority. 16550, table III. */
static uint8_t identify(const struct uart *uart)
{
	uint8_t up = causes(uart);

	if (up & IER_LINE)
		return IIR_LINE;
	if (up & IER_RECEIVED)
		return uart->received_count >= trigger_level(uart) ? IIR_RECEIVED : IIR_TIMEOUT;
	if (up & IER_TRANSMITTED)
		return IIR_TRANSMITTED;
	return up & IER_MODEM ? IIR_MODEM : IIR_NONE;
}

/* After any change: interrupt for what is new, and tell the back end what is wanted now. */
static void update(struct uart *uart)
{
	uint8_t up = uart->mcr & MCR_OUT2 || uart->ignores_out2 ? causes(uart) : 0;
	bool listens = uart->mcr & MCR_RTS || uart->ier & IER_RECEIVED;
	bool input = listens && !(uart->mcr & MCR_LOOP) && uart->received_count == 0 &&
		     !uart->input_ended;
	bool output = uart->sent_count > 0;

	if (up & ~uart->causes)
		uart->raise(uart->ctx);
	uart->causes = up;
	if (input == uart->input_wanted && output == uart->output_wanted)
		return;
	uart->input_wanted = input;
	uart->output_wanted = output;
	uart->backend->ops->want(uart->backend, input, output);
}

bool uart_ready(struct uart *uart)
{
	bool more;

	pthread_mutex_lock(&uart->lock);
	if (uart->input_wanted)
		fetch(uart);
	more = deliver(uart);
	update(uart);
	pthread_mutex_unlock(&uart->lock);
	return more;
}

/* --- registers -------------------------------------------------------------------------------- */

static void set_fifo_control(struct uart *uart, uint8_t value)
{
	/* Turning FIFOs on or off empties them. What was sent is on its way, and cannot be
	 * cleared. */
	if ((value ^ uart->fcr) & FCR_ENABLE || value & FCR_CLEAR_RECEIVE)
		uart->received_count = 0;
	/* The other bits do not count unless this one is set. 16550, 8.4 */
	uart->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_TRIGGER) : 0;
}

static uint8_t line_status(struct uart *uart)
{
	uint8_t status = (uart->received_count > 0 ? LSR_READY : 0) |
			 (uart->overrun ? LSR_OVERRUN : 0) |
			 (has_room(uart) ? LSR_THRE | LSR_TRANSMITTER : 0);

	uart->overrun = false;
	return status;
}

static uint8_t read_register(struct uart *uart, unsigned number)
{
	uint8_t value = 0;

	if (number <= IER && uart->lcr & LCR_DLAB)
		return uart->divisor[number];
	switch (number) {
	case RBR_THR:
		return take_received(uart);
	case IER:
		return uart->ier;
	case IIR_FCR:
		value = identify(uart);
		if (value == IIR_TRANSMITTED)
			uart->transmitted = false;
		return value | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
	case LCR:
		return uart->lcr;
	case MCR:
		return uart->mcr;
	case LSR:
		return line_status(uart);
	case MSR:
		value = modem_lines(uart) | uart->msr_delta;
		uart->msr_delta = 0;
		return value;
	default:
		return uart->scr;
	}
}

static void write_register(struct uart *uart, unsigned number, uint8_t value)
{
	if (number <= IER && uart->lcr & LCR_DLAB) {
		uart->divisor[number] = value;
		return;
	}
	switch (number) {
	case RBR_THR:
		transmit(uart, value);
		break;
	case IER:
		/* Asked for while there is room, the interrupt comes at once. */
		if (value & ~uart->ier & IER_TRANSMITTED)
			uart->transmitted = has_room(uart);
		uart->ier = value & IER_BITS;
		break;
	case IIR_FCR:
		set_fifo_control(uart, value);
		break;
	case LCR:
		uart->lcr = value;
		break;
	case MCR:
		set_modem_control(uart, value);
		break;
	case SCR:
		uart->scr = value;
		break;
	} /* LSR and MSR: only the factory writes them */
}

uint8_t uart_read(struct uart *uart, unsigned number)
{
	uint8_t value;

	pthread_mutex_lock(&uart->lock);
	value = read_register(uart, number);
	update(uart);
	pthread_mutex_unlock(&uart->lock);
	return value;
}

void uart_write(struct uart *uart, unsigned number, uint8_t value)
{
	pthread_mutex_lock(&uart->lock);
	write_register(uart, number, value);
	update(uart);
	pthread_mutex_unlock(&uart->lock);
}

/* --- saving and restoring --------------------------------------------------------------------- */

static void transfer_registers(struct uart *uart, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, uart->ier);
	SNAPSHOT_FIELD(stream, uart->fcr);
	SNAPSHOT_FIELD(stream, uart->lcr);
	SNAPSHOT_FIELD(stream, uart->mcr);
	SNAPSHOT_FIELD(stream, uart->scr);
	SNAPSHOT_FIELD(stream, uart->divisor);
	snapshot_bool(stream, &uart->overrun);
	SNAPSHOT_FIELD(stream, uart->msr_delta);
	snapshot_bool(stream, &uart->transmitted);
	SNAPSHOT_FIELD(stream, uart->causes);
}

static void transfer_received(struct uart *uart, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, uart->received);
	SNAPSHOT_FIELD(stream, uart->received_first);
	SNAPSHOT_FIELD(stream, uart->received_count);
	snapshot_check(stream,
		uart->received_first < UART_FIFO && uart->received_count <= UART_FIFO,
		"%u bytes are received from %u on", uart->received_count, uart->received_first);
}

/* From the first byte that was not sent yet, to the end of the buffer, and on from its
 * beginning. */
static void transfer_sent(struct uart *uart, struct snapshot_stream *stream)
{
	unsigned part;

	SNAPSHOT_FIELD(stream, uart->sent_count);
	snapshot_check(
		stream, uart->sent_count <= UART_BUFFER, "%u bytes are sent", uart->sent_count);
	if (snapshot_failed(stream))
		return;
	if (stream->is_reading)
		uart->sent_first = 0;
	part = UART_BUFFER - uart->sent_first;
	part = part < uart->sent_count ? part : uart->sent_count;
	snapshot_bytes(stream, uart->sent + uart->sent_first, part);
	snapshot_bytes(stream, uart->sent, uart->sent_count - part);
}

void uart_transfer(struct uart *uart, struct snapshot_stream *stream)
{
	pthread_mutex_lock(&uart->lock);
	snapshot_begin(stream, "UART", 0);
	transfer_registers(uart, stream);
	transfer_received(uart, stream);
	transfer_sent(uart, stream);
	snapshot_end(stream);
	if (stream->is_reading && !snapshot_failed(stream))
		update(uart);
	pthread_mutex_unlock(&uart->lock);
}
