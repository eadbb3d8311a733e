/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MMIO_FIXTURE_H
#define TESTS_MMIO_FIXTURE_H

/* A console behind the registers of virtio-mmio, since it has two queues and a configuration space
 * with something to write; and its state, as registers show it. */

#include <stdlib.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "console.h"
#include "driver.h"
#include "mmio.h"
#include "tap.h"

#define RING_RESET VIRTIO_BIT(VIRTIO_F_RING_RESET)

struct fixture {
	struct driver d;
	struct fake_console host;
	struct virtio_console con;
};

static inline struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_console_init(&f->host, 0x1234, 0x5678);
	virtio_console_init(&f->con, &(struct console_port_host){&f->host.backend, NULL}, 1, false,
		&f->d.ram.gmem, &driver_host_ops, &f->d.host);
	virtio_offer(&f->con.dev, RING_RESET);
	driver_attach(&f->d, &f->con.dev);
	return f;
}

static inline void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

/* All that a write to a register can change. There is no padding: it is compared as bytes. */
struct state {
	uint32_t selectors[3], status, interrupts, generation;
	uint64_t features, live;
	struct {
		uint32_t size, ready;
		gpa_t desc, driver, device;
	} queues[2];
	uint32_t kicks[VIRTIO_QUEUES_MAX], raises, reports;
};

static inline struct state state_of(struct fixture *f)
{
	const struct virtio_mmio *mmio = &f->d.mmio;
	const struct virtio_device *dev = &f->con.dev;
	struct host *host = &f->d.host;
	struct state s;

	memset(&s, 0, sizeof s);
	s.selectors[0] = mmio->device_features_sel;
	s.selectors[1] = mmio->driver_features_sel;
	s.selectors[2] = mmio->queue_sel;
	s.features = dev->driver_features;
	s.status = dev->status;
	s.interrupts = dev->interrupt_status;
	s.generation = dev->config_generation;
	for (unsigned i = 0; i < 2; i++) {
		s.queues[i].size = dev->queues[i].size;
		s.queues[i].ready = dev->queues[i].ready;
		s.queues[i].desc = dev->queues[i].desc;
		s.queues[i].driver = dev->queues[i].driver;
		s.queues[i].device = dev->queues[i].device;
	}
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		s.kicks[i] = host->kicks[i];
	s.raises = host->raises;
	s.reports = host->reports;
	s.live = host->live_on + 1000 * host->live_off;
	return s;
}

/* Whether a write changes anything. */
static inline bool changes(struct fixture *f, uint32_t offset, uint64_t value, unsigned len)
{
	struct state before = state_of(f), after;

	access_write(&f->d, offset, value, len);
	after = state_of(f);
	return memcmp(&before, &after, sizeof before) != 0;
}

/* In which phases a register can be written; checklist, 3.1. */
enum {
	RESET = 1,    /* before DRIVER */
	DRIVER = 2,   /* DRIVER, not FEATURES_OK */
	FEATURES = 4, /* FEATURES_OK, not DRIVER_OK */
	LIVE = 8,     /* DRIVER_OK */
	BROKEN = 16,  /* DEVICE_NEEDS_RESET */
	FAILED = 32,
	FAILED_EARLY = 64, /* FAILED, not FEATURES_OK */
	ALWAYS = 127,
	QUEUES = FEATURES | LIVE,
};

/* A state in which no register that can be read reads 0. */
static inline struct fixture *full_state(void)
{
	struct fixture *f = setup();

	driver_start(&f->d, 0);
	virtio_config_changed(&f->con.dev);
	reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	return f;
}

/* Bring a fresh device into a phase. Queue 1 is left off, but has all it needs where that is
 * possible; a used-buffer event is pending. */
static inline struct fixture *in_phase(unsigned phase)
{
	struct fixture *f = setup();

	if (phase & (DRIVER | FAILED_EARLY)) {
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 1);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, phase == DRIVER ? 3 : 0x83);
	} else if (phase != RESET) {
		driver_negotiate(&f->d, RING_RESET);
		driver_setup(&f->d, 0, DRIVER_QUEUE_SIZE);
		driver_setup(&f->d, 1, DRIVER_QUEUE_SIZE);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
	}
	if (phase & (LIVE | BROKEN | FAILED))
		driver_ok(&f->d);
	if (phase == BROKEN) {
		ring_set_avail_idx(&f->d.rings[0], 1000);
		driver_serve(&f->d);
	}
	if (phase == FAILED)
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0x8f);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	f->con.dev.interrupt_status = VIRTIO_MMIO_INT_VRING;
	return f;
}

#endif
