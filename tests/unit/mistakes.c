/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver's mistakes: each rule of virtio/report.h is broken, and reported with the device, what
 * the driver did, and the clause. */
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_blk.h>
#include <vole/virtio_console.h>

#include "../driver.h"
#include "../tap.h"
#include "block.h"
#include "console.h"
#include "rng.h"

#define MULTIPORT VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT)

/* In configuration space. */
#define CAPACITY  VIRTIO_MMIO_CONFIG
#define WRITEBACK (VIRTIO_MMIO_CONFIG + 32)

struct fixture {
	struct driver d;
	struct fake_block disk;
	struct fake_console host;
	struct fake_rng source;
	struct virtio_block blk;
	struct virtio_console con;
	struct virtio_rng rng;
	gpa_t out, in; /* buffers of 4 KiB */
};

static uint64_t rules_seen; /* a bit for each rule */

static struct fixture *attach(struct fixture *f, struct virtio_device *dev)
{
	driver_attach(&f->d, dev);
	f->out = ram_alloc(&f->d.ram, 4096, 16);
	f->in = ram_alloc(&f->d.ram, 4096, 16);
	return f;
}

static struct fixture *disk_of(bool read_only)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_block_init(&f->disk);
	f->disk.backend.read_only = read_only;
	virtio_block_init(
		&f->blk, &f->disk.backend, 1, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	return attach(f, &f->blk.dev);
}

/* A disk that nobody has touched yet. */
static struct fixture *disk(void)
{
	return disk_of(false);
}

/* A disk at work; its driver accepted these features. */
static struct fixture *live_disk(uint64_t features)
{
	struct fixture *f = disk();

	ok(driver_start(&f->d, features), "the disk is live");
	return f;
}

static struct fixture *live_console(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct console_port_host port = {.backend = &f->host.backend};

	driver_init(&f->d);
	fake_console_init(&f->host, 0, 0);
	virtio_console_init(&f->con, &port, 1, true, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	attach(f, &f->con.dev);
	ok(driver_start(&f->d, MULTIPORT), "the console is live");
	return f;
}

static struct fixture *live_rng(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_rng_init(&f->source);
	virtio_rng_init(&f->rng, &f->source.backend, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	attach(f, &f->rng.dev);
	ok(driver_start(&f->d, 0), "the entropy device is live");
	return f;
}

/* The last mistake was against this rule, and was reported so. */
static void told(struct fixture *f, enum virtio_rule rule, const char *text)
{
	is(f->d.host.rule, rule, "%s", text);
	ok(strcmp(f->d.host.mistake, text) == 0, "%s: %s", text, f->d.host.mistake);
	rules_seen |= UINT64_C(1) << rule;
}

/* The end of a fixture that made this number of different mistakes. */
static void done(struct fixture *f, unsigned mistakes)
{
	is(f->d.host.mistakes, mistakes, "nothing else is told");
	is(f->d.host.reports, 0, "and nothing is a fault");
	driver_free(&f->d);
	free(f);
}

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

/* --- requests --------------------------------------------------------------------------------- */

/* Has a request served: this many device-readable bytes, of which the first 16 are the header, and
 * device-writable ones. Returns its status, if it has one. */
static uint8_t request(
	struct fixture *f, uint32_t type, uint64_t sector, uint32_t out_len, uint32_t in_len)
{
	const struct virtio_blk_req header = {
		cpu_to_le32(type), cpu_to_le32(0), cpu_to_le64(sector)};
	const struct buffer buffers[] = {{f->out, out_len, false}, {f->in, in_len, true}};
	uint8_t *in = ram_at(&f->d.ram, f->in);
	struct used used;

	memcpy(ram_at(&f->d.ram, f->out), &header, sizeof header);
	ring_add(&f->d.rings[0], buffers, in_len > 0 ? 2 : 1);
	driver_kick(&f->d, 0);
	ok(ring_take(&f->d.rings[0], &used), "the request comes back");
	return in_len > 0 ? in[in_len - 1] : 0xff;
}

/* One segment of a discard or write zeroes. */
static uint8_t range(struct fixture *f, uint32_t type, uint64_t sector, uint32_t sectors,
	uint32_t flags, uint32_t len)
{
	const struct virtio_blk_discard_write_zeroes segment = {
		cpu_to_le64(sector), cpu_to_le32(sectors), cpu_to_le32(flags)};

	memcpy(ram_at(&f->d.ram, f->out + 16), &segment, sizeof segment);
	return request(f, type, 0, 16 + len, 1);
}

static void test_framing(void)
{
	struct fixture *f = live_disk(0);

	request(f, VIRTIO_BLK_T_IN, 0, 15, 513);
	told(f, RULE_BLOCK_HEADER,
		"block: request of 528 bytes (15 device-readable) without a header of 16 bytes "
		"(virtio 5.2.6)");
	ok(!f->d.host.accessor, "it is not about an access to a register");
	request(f, VIRTIO_BLK_T_OUT, 0, 528, 0);
	told(f, RULE_BLOCK_STATUS,
		"block: request of 528 bytes without a status byte (virtio 5.2.6)");
	is(request(f, VIRTIO_BLK_T_IN, 0, 16, 101), VIRTIO_BLK_S_IOERR, "100 bytes fail");
	told(f, RULE_BLOCK_LENGTH,
		"block: read of 100 bytes: the length is not a multiple of 512 (virtio 5.2.6.1)");
	is(request(f, VIRTIO_BLK_T_IN, 0, 528, 1), VIRTIO_BLK_S_IOERR, "readable data fails");
	told(f, RULE_BLOCK_READ_DATA,
		"block: read with 512 bytes of device-readable data (virtio 5.2.6)");
	is(request(f, VIRTIO_BLK_T_OUT, 0, 16, 513), VIRTIO_BLK_S_IOERR, "writable data fails");
	told(f, RULE_BLOCK_WRITE_DATA,
		"block: write with 512 bytes of device-writable data (virtio 5.2.6)");
	done(f, 5);

	f = live_disk(0);
	is(request(f, VIRTIO_BLK_T_IN, 0, 16, 512), VIRTIO_BLK_S_IOERR, "a sector alone fails");
	told(f, RULE_BLOCK_STATUS,
		"block: request of 528 bytes without a status byte (virtio 5.2.6)");
	done(f, 1);
}

static void test_requests(void)
{
	struct fixture *f = live_disk(0);

	is(request(f, VIRTIO_BLK_T_IN, 64, 16, 513), VIRTIO_BLK_S_IOERR, "sector 64 fails");
	told(f, RULE_BLOCK_RANGE,
		"block: read of 1 sector at sector 64 of 64: beyond the end of the disk (virtio "
		"5.2.6.1)");
	is(request(f, 99, 0, 16, 1), VIRTIO_BLK_S_UNSUPP, "type 99 is not supported");
	told(f, RULE_BLOCK_TYPE, "block: request of type 99: there is no such type (virtio 5.2.6)");
	is(request(f, VIRTIO_BLK_T_FLUSH, 0, 16, 1), VIRTIO_BLK_S_UNSUPP, "nor is a flush");
	told(f, RULE_BLOCK_FEATURE,
		"block: request of type 4: its feature was not negotiated (virtio 5.2.6)");
	done(f, 3);

	f = disk_of(true);
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_BLK_F_RO));
	is(request(f, VIRTIO_BLK_T_OUT, 7, 528, 1), VIRTIO_BLK_S_IOERR, "a write fails");
	told(f, RULE_BLOCK_READ_ONLY,
		"block: write at sector 7: the disk is read-only (virtio 5.2.6.2)");
	done(f, 1);
}

static void test_ranges(void)
{
	struct fixture *f = live_disk(VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	const uint32_t type = VIRTIO_BLK_T_WRITE_ZEROES;

	is(range(f, type, 0, 1, 0, 8), VIRTIO_BLK_S_IOERR, "half a segment fails");
	told(f, RULE_BLOCK_SEGMENTS,
		"block: write zeroes with 8 bytes, not one or more segments of 16 bytes (virtio "
		"5.2.6.1)");
	is(range(f, type, 0, 1, 0, 9 * 16), VIRTIO_BLK_S_IOERR, "9 segments fail");
	told(f, RULE_BLOCK_SEGMENT_COUNT,
		"block: write zeroes with 9 segments, more than the device takes (virtio 5.2.6.1)");
	is(range(f, type, 0, 2049, 0, 16), VIRTIO_BLK_S_IOERR, "2049 sectors fail");
	told(f, RULE_BLOCK_SECTORS,
		"block: write zeroes with 2049 sectors in a segment, more than the device takes "
		"(virtio 5.2.3)");
	is(range(f, type, 0, 1, 2, 16), VIRTIO_BLK_S_UNSUPP, "an unknown flag is not supported");
	told(f, RULE_BLOCK_FLAGS,
		"block: write zeroes with flags 0x2, not defined for this type of request (virtio "
		"5.2.6.2)");
	is(range(f, type, 63, 2, 0, 16), VIRTIO_BLK_S_IOERR, "beyond the end it fails");
	told(f, RULE_BLOCK_RANGE,
		"block: write zeroes of 2 sectors at sector 63 of 64: beyond the end of the disk "
		"(virtio 5.2.6.1)");
	done(f, 5);
}

/* What the host does is not the driver's mistake. */
static void test_host_errors(void)
{
	struct fixture *f = live_disk(0);

	f->disk.backend.capacity = 32;
	virtio_config_changed(&f->blk.dev);
	is(request(f, VIRTIO_BLK_T_IN, 40, 16, 513), VIRTIO_BLK_S_IOERR,
		"a sector that the disk has lost cannot be read");
	done(f, 0);

	f = live_disk(0);
	f->disk.fail_after = 100;
	is(request(f, VIRTIO_BLK_T_IN, 0, 16, 513), VIRTIO_BLK_S_IOERR, "the host fails");
	done(f, 0);
}

/* --- buffers and messages --------------------------------------------------------------------- */

/* A buffer of len bytes that is used. */
static void serve(struct fixture *f, unsigned queue, uint32_t len, bool writable)
{
	struct used used;

	ring_add_one(&f->d.rings[queue], f->out, len, writable);
	driver_kick(&f->d, queue);
	ok(ring_take(&f->d.rings[queue], &used), "the buffer comes back");
}

static void test_buffers(void)
{
	struct fixture *f = live_rng();

	serve(f, 0, 1, false);
	told(f, RULE_RNG_BUFFER,
		"rng: buffer of 1 byte without device-writable bytes (virtio 5.4.6.1)");
	done(f, 1);

	f = live_console();
	serve(f, 1, 8, true);
	told(f, RULE_CONSOLE_TRANSMIT,
		"console: transmit buffer of 8 bytes, of which none is device-readable (virtio "
		"5.3.6.1)");
	done(f, 1);
}

/* A message of the driver, or its first bytes. */
static void tell(struct fixture *f, uint32_t id, uint16_t event, uint32_t len)
{
	const struct virtio_console_control message = {
		cpu_to_le32(id), cpu_to_le16(event), cpu_to_le16(1)};

	memcpy(ram_at(&f->d.ram, f->out), &message, sizeof message);
	serve(f, VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT, len, false);
}

static void test_messages(void)
{
	struct fixture *f = live_console();

	tell(f, 0, VIRTIO_CONSOLE_PORT_READY, 8);
	told(f, RULE_CONTROL_ADDED,
		"console: PORT_READY for port 0: there was no DEVICE_ADD for this port (virtio "
		"5.3.6.2)");
	tell(f, UINT32_MAX, VIRTIO_CONSOLE_DEVICE_READY, 8);
	is(f->d.host.mistakes, 1, "5.3.6.2 the id of DEVICE_READY has no meaning");
	serve(f, VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE, 4, true);
	told(f, RULE_CONTROL_BUFFER,
		"console: control receive buffer of 4 bytes, too short for a control message "
		"(virtio 5.3.6.2)");
	serve(f, VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE, 64, true);
	tell(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 8);
	told(f, RULE_CONTROL_READY,
		"console: PORT_OPEN for port 0: there was no PORT_READY for this port (virtio "
		"5.3.6.2)");
	tell(f, 0, VIRTIO_CONSOLE_PORT_READY, 7);
	told(f, RULE_CONTROL_LENGTH,
		"console: control message of 7 bytes: a control message has 8 (virtio 5.3.6.2)");
	tell(f, 0, VIRTIO_CONSOLE_DEVICE_ADD, 8);
	told(f, RULE_CONTROL_EVENT,
		"console: control message with event 1, not one that drivers send (virtio "
		"5.3.6.2)");
	tell(f, 1, VIRTIO_CONSOLE_PORT_READY, 8);
	told(f, RULE_CONTROL_PORT,
		"console: control message for port 1: there is no such port (virtio 5.3.6.2)");
	tell(f, 0, VIRTIO_CONSOLE_PORT_READY, 8);
	tell(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 8);
	is(f->d.host.mistakes, 6, "what comes in order is right");
	serve(f, 0, 8, false);
	told(f, RULE_CONSOLE_RECEIVE,
		"console: receive buffer of 8 bytes, of which none is device-writable (virtio "
		"5.3.6.1)");
	done(f, 7);
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
	test_framing();
	test_requests();
	test_ranges();
	test_host_errors();
	test_buffers();
	test_messages();
	test_once();
	test_cleanup();
	for (unsigned rule = RULE_NONE + 1; rule < RULE_COUNT; rule++)
		ok(rules_seen >> rule & 1, "rule %u of virtio/report.h was broken here", rule);
	return tap_done();
}
