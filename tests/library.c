/* SPDX-License-Identifier: BSD-2-Clause */
#include "library.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../guest-kernel/irq.h"
#include "../guest-kernel/virtq.h"

#define LEN 16

struct library {
	struct mmio dev;
	struct virtq vq;
	uint8_t buffer[LEN];
	void (*kick)(void *ctx);
	void *ctx;
};

/* --- what virtq.c wants of the rest of the library -------------------------------------------- */

bool mmio_has_feature(const struct mmio *dev, unsigned bit)
{
	return dev->features >> bit & 1;
}

void mmio_kick(struct mmio *dev, unsigned index, uint16_t next)
{
	struct library *library = (struct library *)dev;

	(void)index;
	(void)next;
	library->kick(library->ctx);
}

void debug_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

void debug_printf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
}

/* Of virtq_setup() alone, which is not for the host. */
int mmio_queue_select(struct mmio *dev, unsigned index, uint32_t *size_max)
{
	(void)dev;
	(void)index;
	(void)size_max;
	abort();
}

int mmio_queue_enable(struct mmio *dev, unsigned index, const struct mmio_queue *queue)
{
	(void)dev;
	(void)index;
	(void)queue;
	abort();
}

/* Of virtq_wait() alone, which is not for the host. */
void irq_wait(void)
{
	abort();
}

/* --- what tests want -------------------------------------------------------------------------- */

struct library *library_make(unsigned size, uint64_t features, void (*kick)(void *ctx), void *ctx)
{
	struct library *library = aligned_alloc(64, (sizeof(*library) + 63) / 64 * 64);

	if (!library)
		abort();
	*library = (struct library){.dev.features = features, .kick = kick, .ctx = ctx};
	virtq_init(&library->vq, &library->dev, 0, size);
	return library;
}

void library_free(struct library *library)
{
	free(library);
}

struct library_memory library_memory(struct library *library)
{
	struct virtq *vq = &library->vq;

	return (struct library_memory){library, sizeof(*library), vq->desc, vq->driver, vq->device};
}

void library_add(struct library *library)
{
	struct virtq_buffer writable = {library->buffer, LEN};

	if (virtq_add(&library->vq, &writable, 0, 1, library))
		abort();
}

bool library_take(struct library *library)
{
	uint32_t len;

	return virtq_take(&library->vq, &len) == library;
}

void library_kick(struct library *library)
{
	virtq_kick(&library->vq);
}

bool library_interrupts_on(struct library *library)
{
	return virtq_interrupts_on(&library->vq);
}

void library_interrupts_off(struct library *library)
{
	virtq_interrupts_off(&library->vq);
}
