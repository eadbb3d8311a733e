/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_PRINTF_H
#define GUEST_PRINTF_H

/*
 * Printing. Text goes to the debug port until a driver takes over.
 *
 * A printf() of one CPU is not interrupted by that of another. Interrupt handlers must not print.
 */

#include <stdarg.h>
#include <stddef.h>

/*
 * What the C library's printf() does, for:
 *
 *	%c %s %d %u %x %p %%, with ll for 64 bits, a width, and the flags 0 and -
 */
void printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* To the debug port, without a lock: for what printf() itself may go through. */
void debug_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on text goes to write(ctx, ...); to the debug port again if write is NULL. */
void printf_to(void (*write)(void *ctx, const char *text, size_t len), void *ctx);

/* The machine is about to end: print to the debug port, whoever may be printing. */
void printf_emergency(void);

/* Text to the debug port (vole/ports.h): works from the first instruction on. */
void debug_write(void *unused, const char *text, size_t len);

#endif
