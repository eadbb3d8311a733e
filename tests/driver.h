/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DRIVER_H
#define TESTS_DRIVER_H

/*
 * The driver's side of virtio over ordinary memory, for tests of the device's side: what
 * driver_ring.h has, and
 *
 *	struct host	what a device sees of the machine: counts interrupts and kicks, keeps
 *			reports
 *	struct driver	all of them around one device, and its registers
 *	struct fake_	back ends
 *
 * It behaves, unless a test asks for the opposite: every register can be set to anything.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_mmio.h>

#include "backend.h"
#include "driver_ring.h"
#include "mmio.h"
#include "virtio.h"

/* --- the machine around a device -------------------------------------------------------------- */

struct host {
	atomic_uint raises;
	atomic_uint reports;  /* of faults */
	atomic_uint mistakes; /* of the driver, that were reported */
	atomic_uint kicks[VIRTIO_QUEUES_MAX];
	atomic_bool pending[VIRTIO_QUEUES_MAX]; /* kicked, not yet served */
	int live_error;                         /* what live(true) returns */
	atomic_bool ending;                     /* the machine is */
	unsigned live_on, live_off;
	char report[256];      /* the last fault */
	char mistake[256];     /* the last mistake ... */
	enum virtio_rule rule; /* ... the rule that it broke ... */
	const void *accessor;  /* ... and who did */

	/* Called from within raise and kick. */
	void (*on_raise)(void *ctx);
	void (*on_kick)(void *ctx, unsigned queue);
	void *ctx;
};

extern const struct virtio_host_ops driver_host_ops; /* ctx is a struct host */

/* --- registers and initialisation ------------------------------------------------------------- */

struct driver {
	struct ram ram;
	struct host host;
	struct virtio_device *dev;
	struct virtio_mmio mmio;
	struct ring rings[VIRTIO_QUEUES_MAX];
	uint64_t features; /* accepted */
};

#define DRIVER_QUEUE_SIZE 16 /* of driver_bring_up() */

/* Memory first, since a device is made with it; then its registers. */
void driver_init(struct driver *driver);
void driver_attach(struct driver *driver, struct virtio_device *dev);
void driver_free(struct driver *driver);

uint32_t reg_read(struct driver *driver, uint32_t offset);
void reg_write(struct driver *driver, uint32_t offset, uint32_t value);

/* Any width, up to 8 bytes. */
uint64_t access_read(struct driver *driver, uint32_t offset, unsigned len);
void access_write(struct driver *driver, uint32_t offset, uint64_t value, unsigned len);

/* The steps of virtio 3.1.1 through registers. negotiate: reset to FEATURES_OK, VERSION_1 is added;
 * whether it was accepted. setup: places a fresh ring, sets QueueReady; whether it reads 1. */
bool driver_negotiate(struct driver *driver, uint64_t features);
bool driver_setup(struct driver *driver, unsigned queue, uint16_t size);
void driver_place(
	struct driver *driver, unsigned queue, uint32_t size, gpa_t desc, gpa_t avail, gpa_t used);
void driver_ok(struct driver *driver);

/* The features that the device offers; of them, those of its type (virtio 2.2). */
uint64_t driver_offered(struct driver *driver);
#define DRIVER_TYPE_FEATURES UINT64_C(0xffffff)

/* Features that driver_attach() has devices offer, and driver_negotiate() accepts, in addition to
 * the others. Set by for_each_ring_form(); 0 outside of it. */
extern uint64_t driver_ring_form;

/* All of it, for all queues. Whether the device is live then. start serves the queues too. */
bool driver_bring_up(struct driver *driver, uint64_t features);
bool driver_start(struct driver *driver, uint64_t features);

/* Serves the queues that were kicked, as the I/O thread does. Returns how many passes it took. */
unsigned driver_serve(struct driver *driver);

/* Write QueueNotify, then driver_serve(). */
unsigned driver_kick(struct driver *driver, unsigned queue);

uint32_t driver_status(struct driver *driver);
bool driver_failed(struct driver *driver); /* DEVICE_NEEDS_RESET */

/* --- back ends -------------------------------------------------------------------------------- */

struct fake_console {
	struct console_backend backend;
	uint16_t cols, rows;
	bool away; /* nobody is at the other end */

	const uint8_t *input; /* what is left of it */
	size_t input_len;
	bool input_end;   /* after it */
	size_t input_max; /* bytes per read; 0: no limit */
	unsigned reads;

	uint8_t output[4096]; /* the first bytes of it */
	size_t output_len;    /* all of it */
	size_t output_room;   /* bytes that can still be taken */
	int output_error;
	unsigned writes;

	bool input_wanted, output_wanted;
	unsigned wants;
};

void fake_console_init(struct fake_console *fake, uint16_t cols, uint16_t rows);

/* Counts 1, 2, ... 255, 1, ...: never a byte 0. */
struct fake_rng {
	struct rng_backend backend;
	uint8_t last;
	size_t max;   /* bytes per call; 0: no limit */
	size_t left;  /* bytes that can still be given */
	size_t total; /* bytes given */
	unsigned calls;
	int error;
	void (*on_fill)(void *ctx);
	void *ctx;
};

void fake_rng_init(struct fake_rng *fake);

#define FAKE_DISK_SECTORS 64
#define FAKE_DISCARDED    0xdd

struct fake_block {
	struct block_backend backend;
	uint8_t disk[FAKE_DISK_SECTORS * 512]; /* each sector is filled with its number plus 1, and
						  with FAKE_DISCARDED after it was discarded */
	size_t max;                            /* bytes per call; 0: no limit */
	size_t fail_after;                     /* bytes after which calls fail */
	bool end;                              /* they return 0 rather than -EIO */
	int flush_error;
	unsigned reads, writes, flushes;
	unsigned zeroings, unmappings, discards; /* unmappings: zeroings that may unmap */
	unsigned unstable;                       /* writes and zeroings since the last flush */
	void (*on_transfer)(void *ctx);
	void *ctx;
};

void fake_block_init(struct fake_block *fake);

#endif
