/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DRIVER_H
#define TESTS_DRIVER_H

/*
 * The driver's side of virtio over ordinary memory, for tests of the device's side:
 *
 *	struct ram	guest memory
 *	struct ring	the driver's half of one split queue
 *	struct host	what a device sees of the machine: counts interrupts and kicks, keeps reports
 *	struct driver	all of them around one device, and its registers
 *	struct fake_	back ends
 *
 * It behaves, unless a test asks for the opposite: every descriptor, ring entry, index and register
 * can be set to anything.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_mmio.h>
#include <vole/virtio_ring.h>

#include "backend.h"
#include "gmem.h"
#include "mmio.h"
#include "virtio.h"

/* --- guest memory ----------------------------------------------------------------------------- */

#define RAM_SIZE (UINT32_C(2) << 20) /* from guest-physical 0 */
#define ROM_BASE RAM_SIZE            /* memory that the guest may only read; adjacent to RAM */
#define ROM_SIZE UINT32_C(0x10000)
#define RAM_END  (ROM_BASE + ROM_SIZE) /* nothing from here on */

struct ram {
	uint8_t *bytes;
	struct gmem_region regions[2];
	struct gmem gmem;
	gpa_t next; /* free from here on */
};

void ram_init(struct ram *ram);
void ram_free(struct ram *ram);

/* Zeroed memory that nobody else has. */
gpa_t ram_alloc(struct ram *ram, size_t len, size_t align);

/* The host's pointer to it; also into the ROM. */
void *ram_at(struct ram *ram, gpa_t gpa);

/* Put a descriptor into a table there. */
void ram_set_desc(struct ram *ram, gpa_t table, unsigned index, gpa_t addr, uint32_t len,
	uint16_t flags, uint16_t next);

/* All len bytes there have this value. */
bool ram_is(struct ram *ram, gpa_t gpa, uint8_t value, size_t len);

/* --- a queue, driver's half ------------------------------------------------------------------- */

struct ring {
	struct ram *ram;
	uint16_t size;
	gpa_t desc, avail, used; /* the three areas */
	uint16_t desc_next;      /* descriptors are taken in turn */
	uint16_t avail_idx;      /* as stored last */
	uint16_t used_idx;       /* used elements taken so far */
	bool event_idx;          /* EVENT_IDX was accepted */
	gpa_t tables;            /* memory for indirect tables; 0: INDIRECT_DESC was not */
	unsigned table_next;     /* descriptors of it are taken in turn too */
	uint16_t kicked_idx;     /* avail_idx when ring_wants_kick() was last asked */
};

struct buffer {
	gpa_t addr;
	uint32_t len;
	bool write; /* by the device */
};

struct used {
	uint32_t id, len;
};

/* Fresh areas for a queue of this size, with these features accepted; a guard of 64 bytes 0xa5
 * follows each. */
void ring_init(struct ring *ring, struct ram *ram, uint16_t size, uint64_t features);
bool ring_guards_intact(struct ring *ring);

void ring_set_desc(
	struct ring *ring, uint16_t index, gpa_t addr, uint32_t len, uint16_t flags, uint16_t next);

/* Make the chain at head available; the value of head is not looked at. */
void ring_offer(struct ring *ring, uint16_t head);

/* Store any index. */
void ring_set_avail_idx(struct ring *ring, uint16_t idx);

/* A chain of these buffers, made available. Its head. At most size descriptors may be in flight, and
 * RING_TABLES in indirect tables: the next ones are used without a look. Where INDIRECT_DESC was
 * accepted, two buffers or more are put into a table. */
#define RING_TABLES 4096
uint16_t ring_add(struct ring *ring, const struct buffer *buffers, unsigned count);

/* The same for one buffer. */
uint16_t ring_add_one(struct ring *ring, gpa_t addr, uint32_t len, bool write);

/* The next used element, if there is one. */
bool ring_take(struct ring *ring, struct used *used);

uint16_t ring_used_idx(struct ring *ring);
uint16_t ring_used_flags(struct ring *ring);
void ring_set_avail_flags(struct ring *ring, uint16_t flags);
uint16_t ring_avail_event(struct ring *ring);
void ring_set_avail_event(struct ring *ring, uint16_t event);
void ring_set_used_event(struct ring *ring, uint16_t event);

/* What drivers do with them. Whether the device wants a kick for what was added since the last
 * call; ask for interrupts from the next used buffer on, or for none. */
bool ring_wants_kick(struct ring *ring);
void ring_want_interrupts(struct ring *ring, bool wanted);

/* There is something to take. */
bool ring_pending(struct ring *ring);

/* --- the machine around a device -------------------------------------------------------------- */

struct host {
	atomic_uint raises, reports;
	atomic_uint kicks[VIRTIO_QUEUES_MAX];
	atomic_bool pending[VIRTIO_QUEUES_MAX]; /* kicked, not yet served */
	int live_error;                         /* what live(true) returns */
	unsigned live_on, live_off;
	char report[256]; /* the last */

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

/* What devices offer by driver_attach(), and driver_negotiate() accepts, in addition to what they would
 * do; 0 but for tests/ways.h. */
extern uint64_t driver_way;

/* All of it, for all queues. Whether the device is live then. start serves the queues too. */
bool driver_bring_up(struct driver *driver, uint64_t features);
bool driver_start(struct driver *driver, uint64_t features);

/* What the I/O thread does: serve the queues that were kicked. Passes it took. */
unsigned driver_serve(struct driver *driver);

/* Write QueueNotify, then driver_serve(). */
unsigned driver_kick(struct driver *driver, unsigned queue);

uint32_t driver_status(struct driver *driver);
bool driver_failed(struct driver *driver); /* DEVICE_NEEDS_RESET */

/* --- back ends -------------------------------------------------------------------------------- */

struct fake_console {
	struct console_backend backend;
	uint16_t cols, rows;

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
	size_t total; /* bytes given */
	int error;
	void (*on_fill)(void *ctx);
	void *ctx;
};

void fake_rng_init(struct fake_rng *fake);

#define FAKE_DISK_SECTORS 64

struct fake_block {
	struct block_backend backend;
	uint8_t disk[FAKE_DISK_SECTORS * 512]; /* each sector is filled with its number plus 1 */
	size_t max;                            /* bytes per call; 0: no limit */
	size_t fail_after;                     /* bytes after which calls fail */
	bool end;                              /* they return 0 rather than -EIO */
	int flush_error;
	unsigned reads, writes, flushes;
	unsigned unstable; /* writes since the last flush */
	void (*on_transfer)(void *ctx);
	void *ctx;
};

void fake_block_init(struct fake_block *fake);

#endif
