/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver's mistakes in registers and configuration space: each rule of virtio/report.h about
 * them is broken, and reported with the device, what the driver did, and the clause, once. */
#include "../mistakes_fixture.h"

/* In configuration space. */
#define CAPACITY  VIRTIO_MMIO_CONFIG
#define WRITEBACK (VIRTIO_MMIO_CONFIG + 32)

/* --- registers -------------------------------------------------------------------------------- */

static void test_accesses(void)
{
	struct fixture *f = disk();

	access_write(&f->d, VIRTIO_MMIO_STATUS, 1, 1);
	told(f, RULE_WIDTH,
		"block: write of 0x1 (1 byte) to Status: registers take aligned accesses of 4 "
		"bytes "
		"(virtio 4.2.2.2)");
	ok(f->d.host.accessor == &f->d, "who made the access is handed back");
	reg_read(&f->d, 0x018);
	told(f, RULE_NO_REGISTER,
		"block: read of 4 bytes from offset 0x018: there is no register (virtio 4.2.2.2)");
	reg_write(&f->d, 0x040, 3);
	told(f, RULE_LEGACY,
		"block: write of 0x3 (4 bytes) to QueuePFN: a register of the legacy interface, "
		"which "
		"version 2 lacks (virtio 4.2.2.2)");
	reg_write(&f->d, VIRTIO_MMIO_MAGIC_VALUE, 1);
	told(f, RULE_READ_ONLY,
		"block: write of 0x1 (4 bytes) to MagicValue: the register is read-only (virtio "
		"4.2.2.2)");
	reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE);
	told(f, RULE_WRITE_ONLY,
		"block: read of 4 bytes from QueueSize: the register is write-only (virtio "
		"4.2.2.2)");
	done(f, 5);

	f = disk();
	access_read(&f->d, VIRTIO_MMIO_QUEUE_READY + 2, 4);
	told(f, RULE_WIDTH,
		"block: read of 4 bytes from QueueReady+2: registers take aligned accesses of 4 "
		"bytes (virtio 4.2.2.2)");
	reg_write(&f->d, 0x028, 4096);
	told(f, RULE_LEGACY,
		"block: write of 0x1000 (4 bytes) to GuestPageSize: a register of the legacy "
		"interface, "
		"which version 2 lacks (virtio 4.2.2.2)");
	done(f, 2);
}

/* A driver that forgets a step of 3.1.1. */
static void test_order(void)
{
	struct fixture *f = disk();

	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	told(f, RULE_DRIVER,
		"block: DriverFeatures 1: dropped, because DRIVER is not set in Status (virtio "
		"3.1.1)");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SIZE, 16);
	told(f, RULE_FEATURES_OK,
		"block: QueueSize 0x10: dropped, because FEATURES_OK is not set in Status (virtio "
		"3.1.1)");
	driver_negotiate(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	told(f, RULE_DRIVER_OK,
		"block: QueueNotify 0: dropped, because DRIVER_OK is not set in Status (virtio "
		"3.1.1)");
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 0);
	told(f, RULE_FEATURES_FIXED,
		"block: DriverFeatures 0: dropped, because FEATURES_OK has fixed the features "
		"(virtio 3.1.1)");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0x8b);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SIZE, 8);
	told(f, RULE_FAILED,
		"block: QueueSize 8: dropped, because after FAILED the device must be reset "
		"(virtio 2.1.1)");
	done(f, 5);
}

static void test_features(void)
{
	struct fixture *f = disk();

	reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 2);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 0);
	is(f->d.host.mistakes, 0, "2.2.1 no feature of a word that has none is right");
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 0x10);
	told(f, RULE_FEATURE_WORD,
		"block: DriverFeatures 0x10 with DriverFeaturesSel 2: no feature of this word is "
		"offered (virtio 2.2.1)");
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 0x11);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xb);
	told(f, RULE_FEATURE_OFFERED,
		"block: FEATURES_OK refused: feature bit 36 was accepted, but is not offered "
		"(virtio 2.2.1)");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xb);
	told(f, RULE_VERSION_1,
		"block: FEATURES_OK refused: VERSION_1 was not accepted (virtio 6.2)");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 7);
	told(f, RULE_START, "block: DRIVER_OK refused: FEATURES_OK is not set (virtio 3.1.1)");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 1);
	told(f, RULE_STATUS_CLEARED,
		"block: Status 0x1 without 0x2, which is set already, and only a reset clears it "
		"(virtio 2.1.1)");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0x13);
	told(f, RULE_STATUS_BITS,
		"block: Status 0x13: 0x10 is not for drivers to set (virtio 2.1)");
	done(f, 6);
}

static void test_queues(void)
{
	struct fixture *f = disk();

	driver_negotiate(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SIZE, 16);
	told(f, RULE_QUEUE,
		"block: QueueSize 0x10 with QueueSel 1: QueueSel chose a queue that does not exist "
		"(virtio 4.2.2)");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 2);
	told(f, RULE_VALUE,
		"block: QueueReady 2: the register does not take this value (virtio 4.2.2)");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	told(f, RULE_QUEUE_RESET,
		"block: QueueReset 1: RING_RESET was not negotiated (virtio 4.2.2)");
	driver_ok(&f->d);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	told(f, RULE_NOTIFY_READY,
		"block: QueueNotify 0: dropped, because QueueReady of the queue is 0 (virtio "
		"4.2.3.2)");
	driver_setup(&f->d, 0, 16);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_DESC_LOW, 0xabcde0);
	told(f, RULE_QUEUE_FIXED,
		"block: QueueDescLow 0xabcde0: dropped, because QueueReady of the queue is 1 "
		"(virtio 4.2.2.2)");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	told(f, RULE_NOTIFY_QUEUE, "block: QueueNotify 1: no such queue (virtio 4.2.3.3)");
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 3);
	is(f->d.host.mistakes, 6, "4.2.2.2 both events may be acknowledged");
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 0xff);
	told(f, RULE_INTERRUPT_BITS, "block: InterruptACK 0xff: undefined bits (virtio 4.2.2.2)");
	done(f, 7);
}

static void test_config(void)
{
	struct fixture *f = live_disk(0);

	access_read(&f->d, CAPACITY, 8);
	told(f, RULE_CONFIG_WIDTH,
		"block: read of 8 bytes at 0x0 of configuration space: fields take accesses of at "
		"most 4 bytes (virtio 4.2.2.2)");
	access_read(&f->d, VIRTIO_MMIO_CONFIG + 96, 1);
	told(f, RULE_CONFIG_END,
		"block: read of 1 byte at 0x60 of configuration space: the device has no field "
		"there (virtio 4.2.2.2)");
	access_write(&f->d, CAPACITY, 0, 4);
	told(f, RULE_CONFIG_READ_ONLY,
		"block: write of 0x0 (4 bytes) at 0x0 of configuration space: the field is "
		"read-only "
		"(virtio 4.2.2.2)");
	access_write(&f->d, WRITEBACK, 1, 1);
	told(f, RULE_CONFIG_WRITEBACK,
		"block: write of 0x1 (1 byte) at 0x20 of configuration space: the field takes 0 "
		"and 1 in "
		"one byte, where CONFIG_WCE was negotiated (virtio 5.2.6.1)");
	done(f, 4);

	f = live_rng();
	access_write(&f->d, VIRTIO_MMIO_CONFIG, 0, 4);
	told(f, RULE_CONFIG_END,
		"rng: write of 0x0 (4 bytes) at 0x0 of configuration space: the device has no "
		"field "
		"there (virtio 4.2.2.2)");
	done(f, 1);

	f = live_console();
	access_write(&f->d, VIRTIO_MMIO_CONFIG, 0, 2);
	told(f, RULE_CONFIG_READ_ONLY,
		"console: write of 0x0 (2 bytes) at 0x0 of configuration space: the field is "
		"read-only "
		"(virtio 4.2.2.2)");
	done(f, 1);
}

/* --- how often -------------------------------------------------------------------------------- */

/* A driver that tries again for ever is told once, and a device that needs a reset has said why. */
static void test_once(void)
{
	struct fixture *f = disk();

	for (unsigned i = 0; i < 1000; i++) {
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xb);
	}
	done(f, 1);

	f = live_disk(0);
	ring_set_avail_idx(&f->d.rings[0], 1000);
	driver_kick(&f->d, 0);
	ok(driver_failed(&f->d) && f->d.host.reports == 1, "a fault is told");
	f->d.host.reports = 0;
	driver_kick(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SIZE, 8);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 1);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xcf);
	done(f, 0);
}

/* Linux resets the device first, then stops its queues. */
static void test_cleanup(void)
{
	struct fixture *f = live_disk(0);

	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0, "4.2.2.2 a queue that is off stays off");
	done(f, 0);
}

int main(void)
{
	test_accesses();
	test_order();
	test_features();
	test_queues();
	test_config();
	test_once();
	test_cleanup();
	all_broken(RULE_NONE + 1, RULE_CONFIG_WRITEBACK);
	return tap_done();
}
