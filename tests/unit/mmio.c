/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of virtio-mmio: which there are, how wide, in which phase (virtio 4.2.2). */
#include <pthread.h>

#include "../mmio_fixture.h"

/* --- the table of virtio 4.2.2 ---------------------------------------------------------------- */

enum direction { R = 1, W = 2, RW = 3 };

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
	test_reset();
	test_reset_everywhere();
	test_half_address();
	test_status();
	test_interrupts();
	test_shm();
	test_two_vcpus();
	return tap_done();
}
