/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_UART_H
#define VMM_UART_H

/*
 * A serial port: the registers of a 16550A (National Semiconductor PC16550D data sheet, "16550"),
 * as PCs have it at port 0x3f8. The line has no speed: what is written is out as soon as the host
 * takes it, and the other end behaves like one that obeys RTS: it sends nothing before the guest
 * either sets RTS or lets received bytes interrupt it. So no input is lost to a driver that is not
 * there yet.
 *
 * Between the transmitter and the host is a buffer. While it has room for a FIFO's load, THRE and
 * TEMT are set, and a byte that is written interrupts at once as being out. If the host takes
 * nothing, the buffer fills up and they go away, and nothing else waits.
 *
 * Interrupts are edges: one for each cause that comes up, through MCR's OUT2 as on a PC. So that an
 * edge is seen, received bytes come in loads: the next one once the guest has taken the last.
 *
 * Registers are accessed by vCPU threads; uart_ready() is the I/O thread's. Pure code: host and
 * interrupt are behind struct console_backend and a callback.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

#define UART_REGISTERS 8 /* ports */

#define UART_FIFO   16
#define UART_BUFFER 65536 /* a power of two */

struct uart {
	struct console_backend *backend; /* not owned; its write() is called without the lock */
	void (*raise)(void *ctx);        /* an interrupt; lock held */
	void *ctx;
	bool ignores_out2; /* interrupts pass also while OUT2 is off; set before use */

	pthread_mutex_t lock; /* guards what follows */
	uint8_t ier, fcr, lcr, mcr, scr, divisor[2];
	bool overrun;      /* LSR.OE */
	uint8_t msr_delta; /* MSR, low half */
	bool transmitted;  /* the THRE interrupt is due */
	uint8_t causes;    /* causes of interrupts that were pending at the last check */

	uint8_t received[UART_FIFO];
	unsigned received_first, received_count;
	bool input_ended;                 /* the back end reported the end of input */
	bool input_wanted, output_wanted; /* as the back end was told */

	uint8_t sent[UART_BUFFER]; /* not yet taken by the host */
	unsigned sent_first, sent_count;
};

/* Makes a UART in its state after a reset. Returns 0, or -errno from the lock's creation. */
int uart_init(
	struct uart *uart, struct console_backend *backend, void (*raise)(void *ctx), void *ctx);
void uart_free(struct uart *uart);

/* Handle a guest's access to register 0 to 7. Any vCPU thread. */
uint8_t uart_read(struct uart *uart, unsigned number);
void uart_write(struct uart *uart, unsigned number, uint8_t value);

/* Tells the UART that its back end is ready for what it wants. Returns true if there is more to do:
 * the caller calls again after others had their turn. */
bool uart_ready(struct uart *uart);

struct snapshot_stream;

/* Transfers the state to or from a stream (snapshot/stream.h). I/O thread. After reading, the back
 * end is told what is wanted of it. That input has ended is the host's affair. */
void uart_transfer(struct uart *uart, struct snapshot_stream *stream);

#endif
