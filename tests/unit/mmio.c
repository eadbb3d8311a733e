/* SPDX-License-Identifier: BSD-2-Clause */
/* The MMIO transport: every word of the window, in every phase, by every width. The device behind
 * it is a console, since that has two queues and a configuration space with something to write. */
#include "mmio.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "../driver.h"
#include "../tap.h"
#include "console.h"

#define RING_RESET VIRTIO_BIT(VIRTIO_F_RING_RESET)

struct fixture {
	struct driver d;
	struct fake_console host;
	struct virtio_console con;
};

static struct fixture *setup(void)
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

static void teardown(struct fixture *f)
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

static struct state state_of(struct fixture *f)
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
static bool changes(struct fixture *f, uint32_t offset, uint64_t value, unsigned len)
{
	struct state before = state_of(f), after;

	access_write(&f->d, offset, value, len);
	after = state_of(f);
	return memcmp(&before, &after, sizeof before) != 0;
}

/* --- the table of virtio 4.2.2 ---------------------------------------------------------------- */

enum direction { R = 1, W = 2, RW = 3 };

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

static const struct word {
	uint32_t offset;
	const char *name;
	enum direction direction;
	uint32_t value; /* read in the state that full_state() makes */
	unsigned phases;
} words[] = {
	{0x000, "MagicValue", R, 0x74726976, 0},
	{0x004, "Version", R, 2, 0},
	{0x008, "DeviceID", R, 3, 0},
	{0x00c, "VendorID", R, VIRTIO_MMIO_VENDOR_VALUE, 0},
	{0x010, "DeviceFeatures", R, 0x101, 0},
	{0x014, "DeviceFeaturesSel", W, 0, ALWAYS},
	{0x020, "DriverFeatures", W, 0, DRIVER},
	{0x024, "DriverFeaturesSel", W, 0, ALWAYS},
	{0x030, "QueueSel", W, 0, ALWAYS},
	{0x034, "QueueSizeMax", R, 64, 0},
	{0x038, "QueueSize", W, 0, QUEUES},
	{0x044, "QueueReady", RW, 1, QUEUES},
	{0x050, "QueueNotify", W, 0, LIVE},
	{0x060, "InterruptStatus", R, 2, 0},
	{0x064, "InterruptACK", W, 0, ALWAYS},
	{0x070, "Status", RW, 0xf, ALWAYS},
	{0x080, "QueueDescLow", W, 0, QUEUES},
	{0x084, "QueueDescHigh", W, 0, QUEUES},
	{0x090, "QueueDriverLow", W, 0, QUEUES},
	{0x094, "QueueDriverHigh", W, 0, QUEUES},
	{0x0a0, "QueueDeviceLow", W, 0, QUEUES},
	{0x0a4, "QueueDeviceHigh", W, 0, QUEUES},
	{0x0ac, "SHMSel", W, 0, 0},
	{0x0b0, "SHMLenLow", R, UINT32_MAX, 0},
	{0x0b4, "SHMLenHigh", R, UINT32_MAX, 0},
	{0x0b8, "SHMBaseLow", R, UINT32_MAX, 0},
	{0x0bc, "SHMBaseHigh", R, UINT32_MAX, 0},
	{0x0c0, "QueueReset", RW, 0, QUEUES | BROKEN | FAILED},
	{0x0fc, "ConfigGeneration", R, 1, 0},
};

#define WORDS (sizeof words / sizeof words[0])

/* Returns the register at an offset: one of the above, or a hole. */
static struct word word_at(uint32_t offset)
{
	for (unsigned i = 0; i < WORDS; i++) {
		if (words[i].offset == offset)
			return words[i];
	}
	return (struct word){.offset = offset, .name = "a hole"};
}

/* A state in which no register that can be read reads 0. */
static struct fixture *full_state(void)
{
	struct fixture *f = setup();

	driver_start(&f->d, 0);
	virtio_config_changed(&f->con.dev);
	reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	return f;
}

static void test_reads(void)
{
	struct fixture *f = full_state();

	for (uint32_t offset = 0; offset < VIRTIO_MMIO_CONFIG; offset += 4) {
		struct word word = word_at(offset);

		is(reg_read(&f->d, offset), word.value, "4.2.2 0x%03x, %s, reads 0x%x", offset,
			word.name, word.value);
	}
	teardown(f);
}

static void test_read_only(void)
{
	struct fixture *f = full_state();

	for (uint32_t offset = 0; offset < VIRTIO_MMIO_CONFIG; offset += 4) {
		struct word word = word_at(offset);

		if (!(word.direction & W))
			ok(!changes(f, offset, 1, 4) && !changes(f, offset, UINT32_MAX, 4),
				"4.2.2 0x%03x, %s, drops writes", offset, word.name);
	}
	teardown(f);
}

static void test_widths(void)
{
	struct fixture *f = full_state();

	for (unsigned i = 0; i < WORDS; i++) {
		uint32_t offset = words[i].offset;
		bool nothing = true;

		for (unsigned len = 1; len <= 8; len *= 2) {
			for (unsigned shift = 0; shift < 4; shift++) {
				if (len == 4 && shift == 0)
					continue;
				nothing &= access_read(&f->d, offset + shift, len) == 0 ||
					   offset + shift >= VIRTIO_MMIO_CONFIG;
				nothing &= !changes(f, offset + shift, 0, len);
				nothing &= !changes(f, offset + shift, 1, len);
			}
		}
		ok(nothing, "4.2.2.2 %s exists for aligned accesses of 32 bits only",
			words[i].name);
	}
	teardown(f);
}

/* Bring a fresh device into a phase. Queue 1 is left off, but has all it needs where that is
 * possible; a used-buffer event is pending. */
static struct fixture *in_phase(unsigned phase)
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

static void test_phases(void)
{
	static const struct {
		unsigned phase;
		uint32_t status;
		const char *name;
	} phases[] = {
		{RESET, 0, "after reset"},
		{DRIVER, 3, "before FEATURES_OK"},
		{FEATURES, 0xb, "before DRIVER_OK"},
		{LIVE, 0xf, "when live"},
		{BROKEN, 0x4f, "when the device needs a reset"},
		{FAILED, 0x8f, "when the driver gave up"},
		{FAILED_EARLY, 0x83, "when it gave up early"},
	};

	for (unsigned p = 0; p < sizeof phases / sizeof phases[0]; p++) {
		struct fixture *f = in_phase(phases[p].phase);

		is(driver_status(&f->d), phases[p].status, "3.1.1 status %s", phases[p].name);
		teardown(f);
		for (unsigned i = 0; i < WORDS; i++) {
			/* Values that change something: all of them differ from what is there, and
			 * queue 0 is the one that can be kicked. */
			bool is_queue = words[i].offset == 0x030 || words[i].offset == 0x050;
			uint32_t value = is_queue ? 0 : words[i].offset == 0x070 ? 0x80 : 1;
			bool can = words[i].phases & phases[p].phase;

			if (!(words[i].direction & W))
				continue;
			if (words[i].offset == 0x070 && phases[p].status & 0x80)
				value = 0;
			f = in_phase(phases[p].phase);
			ok(changes(f, words[i].offset, value, 4) == can,
				"3.1.1 %s %s be written %s", words[i].name, can ? "can" : "cannot",
				phases[p].name);
			teardown(f);
		}
	}
}

static void test_identity(void)
{
	struct fixture *f = setup();
	uint8_t bytes[4];

	virtio_mmio_read(&f->d.mmio, VIRTIO_MMIO_MAGIC_VALUE, bytes, 4, NULL);
	ok(memcmp(bytes, "virt", 4) == 0, "MMIO-DEV-19 (4.2.2) registers are little-endian: virt");
	driver_start(&f->d, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_MAGIC_VALUE), 0x74726976, "MMIO-DEV-10 (4.2.2.1) magic");
	is(reg_read(&f->d, VIRTIO_MMIO_VERSION), 2, "MMIO-DEV-10 (4.2.2.1) version");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_MAGIC_VALUE), 0x74726976, "MMIO-DEV-10 after reset too");
	is(reg_read(&f->d, VIRTIO_MMIO_VERSION), 2, "MMIO-DEV-10 after reset too");
	teardown(f);
}

/* --- features and queues ---------------------------------------------------------------------- */

static void test_feature_words(void)
{
	static const uint32_t empty[] = {2, 3, 4, 31, 32, 64, 0x80000000, UINT32_MAX};
	struct fixture *f = setup();
	const uint64_t *features = &f->con.dev.driver_features;

	reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_FEATURES), 5,
		"MMIO-DEV-14 (4.2.2) word 0 is offered");
	reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_FEATURES), 0x101,
		"MMIO-DEV-14 (4.2.2) word 1 is offered");
	for (unsigned i = 0; i < sizeof empty / sizeof empty[0]; i++) {
		reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, empty[i]);
		is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_FEATURES), 0,
			"MMIO-DEV-14 (4.2.2) word %u is empty", empty[i]);
	}

	reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 0xdeadbeef);
	is(*features, 0xdeadbeef00000000, "MMIO-DEV-14 (4.2.2) a word not written counts as 0");
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 5);
	is(*features, 0xdeadbeef00000005, "MMIO-DEV-14 (4.2.2) each has its own");
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	is(*features, 0x100000005, "MMIO-DEV-14 (4.2.2) writing again replaces");
	for (unsigned i = 0; i < sizeof empty / sizeof empty[0]; i++) {
		reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, empty[i]);
		ok(!changes(f, VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX, 4),
			"MMIO-DEV-14 (4.2.2) word %u is forgotten", empty[i]);
	}
	teardown(f);
}

static void test_queue_banks(void)
{
	static const uint32_t bad[] = {2, 3, 0xffff, 0x10000, 0x80000000, UINT32_MAX};
	static const uint32_t banked[] = {
		0x038, 0x044, 0x080, 0x084, 0x090, 0x094, 0x0a0, 0x0a4, 0x0c0};
	struct fixture *f = setup();

	driver_negotiate(&f->d, RING_RESET);
	for (unsigned i = 0; i < 2; i++)
		driver_place(&f->d, i, 16 + i, 0x111111111 + i, 0x222222222 + i, 0x333333333 + i);
	for (unsigned i = 0; i < 2; i++) {
		const struct virtq *vq = &f->con.dev.queues[i];

		ok(vq->size == 16 + i && vq->desc == 0x111111111u + i &&
				vq->driver == 0x222222222u + i && vq->device == 0x333333333u + i,
			"MMIO-DEV-12 (4.2.2) queue %u has registers of its own", i);
	}

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bool dropped = true;

		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, bad[i]);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX) +
				reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY) +
				reg_read(&f->d, VIRTIO_MMIO_QUEUE_RESET),
			0, "HARD-15 MMIO-DEV-12 (4.2.2) queue %u does not exist", bad[i]);
		for (unsigned r = 0; r < sizeof banked / sizeof banked[0]; r++)
			dropped &= !changes(f, banked[r], 1, 4);
		ok(dropped, "HARD-15 MMIO-DEV-12 (4.2.2) and cannot be written");
	}
	teardown(f);
}

static void test_queue_ready(void)
{
	static const uint32_t fixed[] = {0x038, 0x080, 0x084, 0x090, 0x094, 0x0a0, 0x0a4};
	struct fixture *f = setup();
	bool dropped = true;

	driver_negotiate(&f->d, 0);
	ok(driver_setup(&f->d, 0, 8), "MMIO-DEV-16 (4.2.2) QueueReady reads 1 after 1 was written");
	for (unsigned r = 0; r < sizeof fixed / sizeof fixed[0]; r++)
		dropped &= !changes(f, fixed[r], 0x4440, 4);
	ok(dropped, "4.2.2.2 the other registers are fixed while it is 1");
	ok(!changes(f, VIRTIO_MMIO_QUEUE_READY, 2, 4), "4.2.2 it is 0 or 1");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0, "MMIO-DEV-16 (4.2.2) and 0 after 0");
	ok(driver_setup(&f->d, 0, 4), "another ring can be set up then");
	is(f->con.dev.queues[0].size, 4, "and is the one in use");
	is(f->d.host.kicks[0], 0, "BASE-DEV-01 (2.1.2) before DRIVER_OK nobody looks at it");
	driver_ok(&f->d);
	is(f->d.host.kicks[0], 1, "BASE-DEV-17 (3.3) with DRIVER_OK somebody does");
	driver_setup(&f->d, 1, 4);
	is(f->d.host.kicks[1], 1, "BASE-DEV-17 (3.3) and at a queue that comes later, once");
	teardown(f);
}

static uint32_t reset_and_ready(struct fixture *f)
{
	return reg_read(&f->d, VIRTIO_MMIO_QUEUE_RESET) << 1 |
	       reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY);
}

/* A driver that gives a broken device up stops its queues, and waits until they are. */
static void test_queue_stop(void)
{
	static const unsigned phases[] = {FEATURES, LIVE, BROKEN, FAILED};

	for (unsigned p = 0; p < sizeof phases / sizeof phases[0]; p++) {
		struct fixture *f = in_phase(phases[p]);
		bool broken = phases[p] & (BROKEN | FAILED);
		uint32_t status = driver_status(&f->d);

		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0,
			"MMIO-DEV-16 (4.2.2) QueueReady is 0 after 0 when status is 0x%x", status);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 1);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), !broken,
			"2.1.2 it can%s become 1 again", broken ? "not" : "");
		is(driver_status(&f->d), status, "and status stays");
		teardown(f);

		f = in_phase(phases[p]);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
		is(reset_and_ready(f), 0,
			"MMIO-DEV-07 (4.2.2.1) both are 0 after QueueReset when status is 0x%x",
			status);
		teardown(f);
	}
}

/* One buffer through the transmit queue. Whether it came back, as the first of its ring. */
static bool transmit_first(struct fixture *f)
{
	struct used used;

	ring_add_one(&f->d.rings[1], ram_alloc(&f->d.ram, 16, 1), 16, false);
	driver_kick(&f->d, 1);
	return ring_used_idx(&f->d.rings[1]) == 1 && ring_take(&f->d.rings[1], &used) &&
	       used.id == 0;
}

static void test_queue_reset(void)
{
	struct fixture *f = setup();
	struct virtq *vq = &f->con.dev.queues[1];
	struct ring old;
	unsigned raises;

	driver_start(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	ok(!changes(f, VIRTIO_MMIO_QUEUE_RESET, 1, 4) && reset_and_ready(f) == 1,
		"MMIO-DRV-13 (4.2.2) without RING_RESET there is no QueueReset");

	driver_start(&f->d, RING_RESET);
	for (unsigned i = 0; i < 5; i++) {
		ring_add_one(&f->d.rings[1], ram_alloc(&f->d.ram, 16, 1), 16, false);
		driver_kick(&f->d, 1);
	}
	ring_add_one(&f->d.rings[1], ram_alloc(&f->d.ram, 16, 1), 16, false);
	raises = f->d.host.raises;
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	ok(!changes(f, VIRTIO_MMIO_QUEUE_RESET, 0, 4) && !changes(f, VIRTIO_MMIO_QUEUE_RESET, 2, 4),
		"4.2.2 QueueReset takes 1 and nothing else");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	is(reset_and_ready(f), 0, "MMIO-DEV-05 MMIO-DEV-07 (4.2.2.1) both read 0 when it is done");
	ok(vq->size == 0 && vq->desc == 0 && vq->driver == 0 && vq->device == 0,
		"BASE-DEV-06 (2.6.1.1.1) size and addresses are forgotten");

	old = f->d.rings[1];
	f->host.output_len = 0;
	driver_kick(&f->d, 1);
	virtio_serve(&f->con.dev, 1);
	is(ring_used_idx(&old), 5, "BASE-DEV-05 (2.6.1.1.1) no request of it is executed");
	is(f->host.output_len, 0, "BASE-DEV-05 (2.6.1.1.1) at all");
	is(f->d.host.raises, raises, "BASE-DEV-05 (2.6.1.1.1) nor notified");
	ring_add_one(&f->d.rings[0], ram_alloc(&f->d.ram, 16, 1), 16, true);
	f->host.input = (const uint8_t *)"input";
	f->host.input_len = 5;
	driver_kick(&f->d, 0);
	is(ring_used_idx(&f->d.rings[0]), 1, "BASE-DEV-05 (2.6.1.1.1) the other queue goes on");

	memset(ram_at(&f->d.ram, old.desc), 0x5a, 16 * 16);
	ok(driver_setup(&f->d, 1, 4), "2.6.1.2 it can be enabled again");
	is(reset_and_ready(f), 1, "MMIO-DEV-08 (4.2.2.1) QueueReset reads 0 then");
	ok(vq->size == 4 && vq->desc == f->d.rings[1].desc,
		"BASE-DEV-12 (2.6.1.2.1) with another size, elsewhere");
	ok(transmit_first(f), "BASE-DEV-06 (2.6.1.1.1) and starts at its first position");
	is(ring_used_idx(&old), 5, "BASE-DEV-12 (2.6.1.2.1) its old place is left alone");

	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	is(reset_and_ready(f), 0, "MMIO-DEV-08 (4.2.2.1) and after device reset");
	teardown(f);
}

/* A queue that cannot work, before and after DRIVER_OK. */
static void test_queue_refused(bool live)
{
	struct fixture *f = setup();
	struct ring ring;

	driver_negotiate(&f->d, 0);
	if (live)
		driver_ok(&f->d);
	ring_init(&ring, &f->d.ram, 16, 0);
	driver_place(&f->d, 1, 24, ring.desc, ring.avail, ring.used);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0,
		"HARD-01 MMIO-DEV-16 (4.2.2) a refused queue is not ready");
	ok(driver_failed(&f->d), "BASE-DEV-10 HARD-01 (2.1.2) the device needs a reset");
	is(f->d.host.reports, 1, "HARD-01 and says so once");
	ok(strstr(f->d.host.report, "console: queue 1: queue size 24 is not a power of two") !=
			NULL,
		"HARD-01 with queue, value and clause: %s", f->d.host.report);
	if (!live) {
		is(f->d.host.raises, 0, "2.1.2 no notification before DRIVER_OK");
		driver_ok(&f->d);
		is(f->d.host.live_on, 0, "a broken device does not go live");
	}
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2,
		"BASE-DEV-09 (2.1.2) the driver hears of it %s DRIVER_OK", live ? "after" : "at");
	is(f->d.host.raises, 1, "BASE-DEV-09 (2.1.2) by an interrupt");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	ok(driver_start(&f->d, 0), "a reset cures it");
	teardown(f);
}

static void test_notify(void)
{
	static const uint32_t bad[] = {
		2, 0xffff, 0x10000, 0x10001, 0x80000000, 0x80000001, UINT32_MAX};
	struct fixture *f = setup();

	driver_negotiate(&f->d, 0);
	driver_setup(&f->d, 0, 16);
	driver_ok(&f->d);
	driver_serve(&f->d);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(!changes(f, VIRTIO_MMIO_QUEUE_NOTIFY, bad[i], 4),
			"HARD-15 MMIO-DEV-13 (4.2.3.3) notify 0x%x is ignored", bad[i]);
	is(f->d.host.kicks[0], 1,
		"BASE-DEV-17 (3.3) a ready queue is looked at when DRIVER_OK is set");
	is(f->d.host.kicks[1], 0, "one that is not ready is not");
	driver_kick(&f->d, 0);
	is(f->d.host.kicks[0], 2, "MMIO-DEV-13 (4.2.3.3) notify takes the index");
	driver_kick(&f->d, 1);
	ok(!driver_failed(&f->d) && f->d.host.raises == 0,
		"MMIO-DEV-01 (4.2.2.1) a kick of a queue that is not ready does nothing");
	teardown(f);
}

static void test_notification_data(void)
{
	static const uint32_t good[] = {0, 0x10000, 0x80000000, 0xffff0000, 1, 0x7fff0001};
	static const uint32_t bad[] = {2, 0xffff, 0x80000002, UINT32_MAX};
	struct fixture *f = setup();

	virtio_offer(&f->con.dev, VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		uint32_t before = f->d.host.kicks[good[i] & 1];

		reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, good[i]);
		is(f->d.host.kicks[good[i] & 1], before + 1,
			"MMIO-DEV-13 (4.2.3.3) with NOTIFICATION_DATA 0x%x is a kick of queue %u",
			good[i], good[i] & 1);
	}
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(!changes(f, VIRTIO_MMIO_QUEUE_NOTIFY, bad[i], 4),
			"HARD-15 MMIO-DEV-13 (4.2.3.3) and 0x%x is ignored", bad[i]);
	driver_serve(&f->d);
	for (unsigned i = 0; i < 10000; i++)
		driver_kick(&f->d, i % 2);
	ok(!driver_failed(&f->d) && f->d.host.raises == 0,
		"SPLIT-DEV-10 (2.9) 10000 kicks for nothing do nothing");
	teardown(f);
}

/* --- reset, status, interrupts ---------------------------------------------------------------- */

static void test_reset(void)
{
	struct fixture *f = setup();
	struct state fresh = state_of(f), after;

	driver_start(&f->d, VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE));
	virtio_config_changed(&f->con.dev);
	reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_SHM_SEL, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2, "an event is pending");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	after = state_of(f);

	is(driver_status(&f->d), 0, "BASE-DEV-04 (2.4.1) status reads 0 after reset");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 0,
		"MMIO-DEV-02 MMIO-DEV-09 (4.2.2.1) no event is pending");
	for (unsigned i = 0; i < 2; i++) {
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, i);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0,
			"MMIO-DEV-02 (4.2.2.1) queue %u is not ready", i);
	}
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	is(f->d.host.live_off, 1, "the machine hears of it, once");

	/* All the rest was as in the beginning, but for what the host counted. */
	memcpy(after.kicks, fresh.kicks, sizeof fresh.kicks);
	after.raises = fresh.raises;
	after.live = fresh.live;
	after.generation = fresh.generation;
	ok(memcmp(&after, &fresh, sizeof fresh) == 0,
		"MMIO-DEV-22 (4.2.2) selectors, features, sizes and addresses do not survive");
	teardown(f);
}

/* From every state that a driver can bring the device into. */
static void test_reset_everywhere(void)
{
	for (unsigned phase = RESET; phase <= FAILED_EARLY; phase <<= 1) {
		struct fixture *f = in_phase(phase);
		uint32_t status = driver_status(&f->d);

		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
		is(driver_status(&f->d), 0, "BASE-DEV-04 (2.4.1) reset when status is 0x%x",
			status);
		ok(driver_start(&f->d, 0), "BASE-DEV-04 (2.4.1) and the device can be used");
		teardown(f);
	}
}

static void test_half_address(void)
{
	struct fixture *f = setup();

	driver_negotiate(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_DESC_HIGH, 7);
	driver_negotiate(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_DESC_LOW, 0x1000);
	is(f->con.dev.queues[0].desc, 0x1000,
		"MMIO-DEV-22 (4.2.2) half an address does not survive");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_DESC_HIGH, 1);
	is(f->con.dev.queues[0].desc, 0x100001000, "the halves keep each other");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_DESC_LOW, 0xfffffff0);
	is(f->con.dev.queues[0].desc, 0x1fffffff0, "in either order");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_DESC_LOW, 0x2000);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_DESC_HIGH, 2);
	is(f->con.dev.queues[0].desc, 0x200002000, "4.2.2 and each takes the place of what was");
	teardown(f);
}

static void test_status(void)
{
	struct fixture *f = setup();

	is(driver_status(&f->d), 0, "BASE-DEV-04 (2.1) status is 0 at first");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 4);
	is(driver_status(&f->d), 0, "HARD-24 bare DRIVER_OK is dropped");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0x40);
	is(driver_status(&f->d), 0, "HARD-24 DEVICE_NEEDS_RESET is not the driver's");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xffffff30);
	is(driver_status(&f->d), 0, "HARD-24 MMIO-DEV-15 (4.2.2) unknown bits are masked");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
	is(driver_status(&f->d), 3, "2.1.1 several bits at once");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0x100);
	is(driver_status(&f->d), 3, "MMIO-DEV-15 (4.2.2) 0x100 is no reset");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 1);
	is(driver_status(&f->d), 3, "HARD-24 MMIO-DEV-15 (4.2.2) bits are not taken back");

	driver_negotiate(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xb);
	is(driver_status(&f->d), 0xb, "HARD-24 FEATURES_OK twice");
	virtio_fail(&f->con.dev, "for a test");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xb);
	is(driver_status(&f->d), 0x4b, "HARD-24 the driver cannot clear DEVICE_NEEDS_RESET");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0x8b);
	is(driver_status(&f->d), 0xcb, "but it can set FAILED");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	is(driver_status(&f->d), 0, "BASE-DEV-04 (2.4.1) and a reset clears all");
	teardown(f);
}

/* Used buffers and a change of configuration at once: the transmit queue provides the former. */
static void test_interrupts(void)
{
	struct fixture *f = setup();

	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 0,
		"MMIO-DEV-09 (4.2.2.1) no event at first");
	driver_start(&f->d, 0);
	ring_add_one(&f->d.rings[1], ram_alloc(&f->d.ram, 16, 1), 16, false);
	driver_kick(&f->d, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 1, "MMIO-DEV-03 (4.2.2.1) used buffer");
	is(f->d.host.raises, 1, "one interrupt");
	virtio_config_changed(&f->con.dev);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 3,
		"MMIO-DEV-03 (4.2.2.1) and config change");
	is(f->d.host.raises, 2, "another");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 3, "reading it changes nothing");

	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2,
		"MMIO-DEV-03 (4.2.2.1) one is acknowledged, the other stays");
	is(f->d.host.raises, 3,
		"MMIO-DEV-11 (4.2.3.4) and is raised again for an edge-triggered pin");
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 0xfffffffd);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2, "bits that are not set do no harm");
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 2);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 0,
		"MMIO-DEV-09 (4.2.2.1) all acknowledged");
	is(f->d.host.raises, 4, "MMIO-DEV-11 (4.2.3.4) nothing left, nothing raised");
	teardown(f);
}

static void test_shm(void)
{
	struct fixture *f = setup();

	for (uint32_t region = 0; region < 3; region++) {
		bool none = true;

		reg_write(&f->d, VIRTIO_MMIO_SHM_SEL, region * 0x7fffffff);
		for (uint32_t offset = 0x0b0; offset <= 0x0bc; offset += 4)
			none &= reg_read(&f->d, offset) == UINT32_MAX;
		ok(none, "MMIO-DEV-17 (4.2.2) region %u has no length and no base",
			region * 0x7fffffff);
		ok(none, "BASE-DEV-19 (2.10.2) there is no shared memory");
	}
	teardown(f);
}

/* --- configuration space ---------------------------------------------------------------------- */

#define CONFIG VIRTIO_MMIO_CONFIG

static void test_config(void)
{
	struct fixture *f = setup();
	unsigned wrong = 0;

	is(access_read(&f->d, CONFIG, 2), 0x1234, "MMIO-DEV-18 (4.2.2) cols, by its own width");
	is(access_read(&f->d, CONFIG + 2, 2), 0x5678, "MMIO-DEV-18 (4.2.2) rows");
	is(access_read(&f->d, CONFIG, 4), 0x56781234, "MMIO-DEV-18 (4.2.2) both at once");
	is(access_read(&f->d, CONFIG, 1), 0x34, "BASE-DEV-18 (2.5) little-endian, low byte first");
	is(access_read(&f->d, CONFIG + 1, 1), 0x12, "BASE-DEV-18 (2.5) then the high one");
	is(access_read(&f->d, CONFIG + 1, 2), 0x7812, "MMIO-DEV-18 (4.2.2) at any byte");

	for (uint32_t offset = CONFIG + 12; offset < VIRTIO_MMIO_WINDOW_SIZE; offset++) {
		for (unsigned len = 1; len <= 8; len *= 2)
			wrong += access_read(&f->d, offset, len) != 0 ||
				 changes(f, offset, ~0ull, len);
	}
	is(wrong, 0, "HARD-25 nothing is behind the end of it");
	is(access_read(&f->d, 0xfffffffc, 4), 0, "HARD-25 offset 0xfffffffc");
	ok(!changes(f, 0xfffffffc, 1, 4), "HARD-25 drops writes too");
	is(access_read(&f->d, CONFIG, 8), 0, "HARD-25 there are no accesses of 64 bits");
	access_write(&f->d, CONFIG + 8, 'x', 8);
	is(f->host.output_len, 0, "HARD-25 for writes neither");
	is(access_read(&f->d, CONFIG + 11, 4), 0, "HARD-25 over the end byte by byte: reads 0");
	access_write(&f->d, CONFIG + 8, 'x', 4);
	is(f->host.output_len, 1, "HARD-25 a writable field can be written");
	access_write(&f->d, CONFIG, 0, 4);
	access_write(&f->d, CONFIG + 4, 0, 4);
	is(access_read(&f->d, CONFIG, 4), 0x56781234, "HARD-25 others cannot");
	is(f->host.output_len, 1, "HARD-25 and have no effect");
	teardown(f);
}

/* A device whose space ends within a word. */
static uint8_t end_config[5];
static unsigned end_written;

/* It fills more than it has to. */
static void end_read(struct virtio_device *dev, uint8_t *config)
{
	(void)dev;
	memset(config, 0xee, VIRTIO_CONFIG_MAX);
	memcpy(config, end_config, sizeof end_config);
}

static void end_write(struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	(void)dev;
	end_written = len;
	if (offset + len <= sizeof end_config)
		memcpy(end_config + offset, data, len);
}

static void test_config_end(void)
{
	static const struct virtio_ops ops = {
		.name = "end",
		.config_len = sizeof end_config,
		.config_read = end_read,
		.config_write = end_write,
	};
	struct virtio_device dev;
	struct driver d;

	driver_init(&d);
	virtio_init(&dev, &ops, 0, 1, &d.ram.gmem, &driver_host_ops, &d.host);
	driver_attach(&d, &dev);
	access_write(&d, CONFIG + 3, 0x44332211, 4);
	is(end_written, 2, "HARD-25 of a write over the end the device gets what is inside");
	is(access_read(&d, CONFIG + 3, 2), 0x2211, "HARD-25 which is there then");
	is(access_read(&d, CONFIG + 3, 4), 0x2211, "HARD-25 a read over the end goes on with 0");
	is(access_read(&d, CONFIG + 4, 2), 0x22, "HARD-25 by each width");
	driver_free(&d);
}

static void test_generation(void)
{
	struct fixture *f = setup();
	uint32_t before = reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION), first;

	is(reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION), before, "it does not change by itself");
	virtio_config_changed(&f->con.dev);
	is(f->d.host.raises, 0, "BASE-DEV-01 (2.1.2) a device that is not live is silent");
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE));
	before = reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION);
	first = access_read(&f->d, CONFIG, 2);
	f->host.cols = 100;
	f->host.rows = 50;
	is(access_read(&f->d, CONFIG + 2, 2), 0x5678,
		"MMIO-DEV-04 (4.2.2.1) what the host changed does not show before the generation "
		"does");
	is(reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION), before,
		"MMIO-DEV-04 (4.2.2.1) which is the same until then");
	virtio_config_changed(&f->con.dev);
	ok(reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION) != before,
		"MMIO-DEV-04 (4.2.2.1) a change between two reads shows in the generation");
	ok(first == 0x1234 && access_read(&f->d, CONFIG + 2, 2) == 50, "which were of two states");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2,
		"BASE-DEV-15 (3.2.1) the driver is told");
	is(f->d.host.raises, 1, "BASE-DEV-15 (3.2.1) by an interrupt");
	teardown(f);
}

/* --- two vCPUs -------------------------------------------------------------------------------- */

struct vcpu {
	struct fixture *f;
	uint64_t random;
};

static uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Registers at random, values that are often nearly right. */
static void *vcpu_run(void *arg)
{
	static const uint32_t values[] = {
		0, 1, 2, 3, 4, 0xb, 0xf, 0x10, 0x1000, 0x2000, UINT32_MAX};
	struct vcpu *vcpu = arg;

	for (unsigned i = 0; i < 20000; i++) {
		uint32_t offset = words[random_next(&vcpu->random) % WORDS].offset;
		uint32_t value = values[random_next(&vcpu->random) % 11];

		if (random_next(&vcpu->random) % 4 == 0)
			reg_read(&vcpu->f->d, offset);
		else
			reg_write(&vcpu->f->d, offset, value);
	}
	return NULL;
}

static void test_two_vcpus(void)
{
	struct fixture *f = setup();
	struct vcpu vcpus[2] = {{f, 1}, {f, 2}};
	pthread_t threads[2];

	for (unsigned i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, vcpu_run, &vcpus[i]);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ok(driver_start(&f->d, 0), "HARD-28 two vCPUs at one device: a reset, and it works");
	teardown(f);
}

int main(void)
{
	test_reads();
	test_read_only();
	test_widths();
	test_phases();
	test_identity();
	test_feature_words();
	test_queue_banks();
	test_queue_ready();
	test_queue_stop();
	test_queue_reset();
	test_queue_refused(false);
	test_queue_refused(true);
	test_notify();
	test_notification_data();
	test_reset();
	test_reset_everywhere();
	test_half_address();
	test_status();
	test_interrupts();
	test_shm();
	test_config();
	test_config_end();
	test_generation();
	test_two_vcpus();
	return tap_done();
}
