/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIBRARY_H
#define TESTS_LIBRARY_H

/*
 * The driver's half of a queue as guests have it, guest-kernel/virtq.c, compiled for the host: one
 * that behaves, and knows nothing of tests. Its memory is its own, and guest-physical addresses are
 * the host's. It is a file of its own, since the device's half has headers of the same names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct library;

/* Where everything is that the device may access, and the three areas of the queue. */
struct library_memory {
	void *bytes;
	size_t len;
	void *desc, *driver, *device;
};

/* A queue of this size, with these features agreed on, and with one request. kick(ctx) is called
 * for a kick. */
struct library *library_make(unsigned size, uint64_t features, void (*kick)(void *ctx), void *ctx);
void library_free(struct library *library);
struct library_memory library_memory(struct library *library);

/* virtq_add() of the request, one buffer that the device writes; true if virtq_take()
 * has it back. */
void library_add(struct library *library);
bool library_take(struct library *library);

/* Their namesakes of virtq.h. */
void library_kick(struct library *library);
bool library_interrupts_on(struct library *library);
void library_interrupts_off(struct library *library);

#endif
