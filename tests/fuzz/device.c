/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <assert.h>
#include <string.h>

#include "inspect.h"
#include "see/state_text.h"

/* Each queue's areas in the lower half of RAM, with room for one of this size, unless they are
 * placed anew; buffers are anywhere. */
#define QUEUE_STRIDE(size) (32u * (size))
#define QUEUES_END         0x8000u
#define INDIRECT           0xf000u

static uint8_t *at(struct device_run *run, gpa_t gpa)
{
	assert(gpa < DEVICE_RAM + DEVICE_ROM);
	return run->driver.ram.bytes + gpa;
}

/* The guest's own store: what is not its RAM is not changed by it. */
static void store(struct device_run *run, gpa_t gpa, const void *bytes, size_t len)
{
	if (gpa < DEVICE_RAM && len <= DEVICE_RAM - gpa)
		memcpy(at(run, gpa), bytes, len);
}

/* Descriptors that are available where a packed queue begins, and in which a split one finds no
 * fault: a device that takes them for a ring it may write to will write there. */
static void fill_rom(uint8_t *rom)
{
	const struct virtq_desc desc = {.addr = cpu_to_le64(DEVICE_RAM / 2),
		.len = cpu_to_le32(16),
		.next = cpu_to_le16(VIRTQ_DESC_F_AVAIL)};

	for (unsigned i = 0; i < DEVICE_ROM; i += sizeof desc)
		memcpy(rom + i, &desc, sizeof desc);
}

void device_begin(struct device_run *run, const uint8_t *data, size_t size)
{
	static _Alignas(4096) uint8_t bytes[DEVICE_RAM + DEVICE_ROM];
	struct ram *ram = &run->driver.ram;

	memset(run, 0, sizeof *run);
	run->in = input_of(data, size);
	/* By hand: driver_init() makes megabytes. */
	ram->bytes = bytes;
	memset(ram->bytes, 0, DEVICE_RAM);
	fill_rom(ram->bytes + DEVICE_RAM);
	ram->regions[0] = (struct gmem_region){0, DEVICE_RAM, ram->bytes, true};
	ram->regions[1] =
		(struct gmem_region){DEVICE_RAM, DEVICE_ROM, ram->bytes + DEVICE_RAM, false};
	ram->gmem = (struct gmem){.regions = ram->regions, .count = 2};
	run->driver.host.on_raise = device_meddle;
	run->driver.host.ctx = run;
}

/* --- what a driver does ----------------------------------------------------------------------- */

static bool is_packed(const struct device_run *run)
{
	return virtio_has_feature(run->driver.dev, VIRTIO_F_RING_PACKED);
}

/* An empty queue, set up and on. */
static void enable(struct device_run *run, unsigned number, const struct device_queue *queue)
{
	driver_place(&run->driver, number, queue->size, queue->desc, queue->avail, queue->used);
	reg_write(&run->driver, VIRTIO_MMIO_QUEUE_READY, 1);
	run->queues[number] = *queue;
	run->queues[number].wrapped = true;
}

/* Reset to DRIVER_OK; which features and sizes, the input says. */
static void bring_up(struct device_run *run)
{
	struct driver *driver = &run->driver;
	uint64_t features = take(&run->in, 8) & driver->dev->features;
	uint32_t max = driver->dev->ops->queue_size_max, stride = QUEUE_STRIDE(max);
	uint32_t how = take(&run->in, 1), size;

	memset(at(run, 0), 0, QUEUES_END);
	driver_negotiate(driver, features);
	size = is_packed(run) ? how + 1 : UINT32_C(1) << how % 9;
	for (unsigned i = 0; i < virtio_queue_count(driver->dev); i++) {
		gpa_t base = i * stride % QUEUES_END;

		enable(run, i,
			&(struct device_queue){base, base + stride / 2, base + stride * 5 / 8,
				.size = size < max ? size : max});
	}
	driver_ok(driver);
}

static unsigned take_queue(struct device_run *run)
{
	return take(&run->in, 1) % run->driver.dev->queue_count;
}

static unsigned take_width(struct device_run *run)
{
	return 1u << take(&run->in, 1) % 4;
}

static void write_register(struct device_run *run)
{
	uint32_t offset = take(&run->in, 2) % VIRTIO_MMIO_WINDOW_SIZE;
	unsigned width = take_width(run);

	access_write(&run->driver, offset, take(&run->in, width), width);
}

static void read_register(struct device_run *run)
{
	uint32_t offset = take(&run->in, 2) % VIRTIO_MMIO_WINDOW_SIZE;

	access_read(&run->driver, offset, take_width(run));
}

/* Any bytes anywhere in RAM: payload, a ring's index, half a descriptor. */
static void poke_by(struct device_run *run, struct input *in)
{
	gpa_t gpa = take(in, 2);
	const uint8_t *bytes;
	size_t len = take_bytes(in, take(in, 1) % 64 + 1, &bytes);

	store(run, gpa, bytes, len);
}

static void poke(struct device_run *run)
{
	poke_by(run, &run->in);
}

/* A descriptor, in the layout that both rings share but for the order of the last two. */
static void put_desc(
	struct device_run *run, gpa_t gpa, gpa_t addr, uint32_t len, uint16_t a, uint16_t b)
{
	struct virtq_desc desc = {
		cpu_to_le64(addr), cpu_to_le32(len), cpu_to_le16(a), cpu_to_le16(b)};

	store(run, gpa, &desc, sizeof desc);
}

struct wish {
	gpa_t addr;
	uint32_t len;
	uint16_t flags;
};

/* Bits 0 and 1 as VIRTQ_DESC_F_; 2 to 4: how address and length are meant. */
static struct wish take_wish(struct device_run *run)
{
	unsigned kind = take(&run->in, 1);
	struct wish wish = {.flags = kind & VIRTQ_DESC_F_WRITE};

	switch (kind >> 2 & 3) {
	case 0: /* near the end of memory */
		wish.addr = DEVICE_RAM + DEVICE_ROM - take(&run->in, 1);
		wish.len = take(&run->in, 1);
		break;
	case 1: /* any */
		wish.addr = take(&run->in, 8);
		wish.len = take(&run->in, 4);
		break;
	default: /* RAM, in most cases */
		wish.addr = take(&run->in, 2);
		wish.len = take(&run->in, 2);
	}
	return wish;
}

/* The flags that make a packed descriptor available; virtio 2.8.1. */
static uint16_t packed_flags(const struct device_queue *queue)
{
	return queue->wrapped ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
}

/* The next descriptor in the queue's own table, with NEXT if it goes on. */
static void add_desc(struct device_run *run, unsigned number, const struct wish *wish, bool more)
{
	struct device_queue *queue = &run->queues[number];
	gpa_t gpa = queue->desc + VIRTQ_DESC_BYTES(queue->next);
	uint16_t flags = wish->flags | (more ? VIRTQ_DESC_F_NEXT : 0);
	uint16_t next = (queue->next + 1) % queue->size;

	if (is_packed(run))
		put_desc(run, gpa, wish->addr, wish->len, queue->next, flags | packed_flags(queue));
	else
		put_desc(run, gpa, wish->addr, wish->len, flags, next);
	queue->next = next;
	if (next == 0)
		queue->wrapped = !queue->wrapped;
}

/* The same in the one table that all chains share. */
static void add_indirect(
	struct device_run *run, gpa_t table, unsigned entry, const struct wish *wish, bool more)
{
	gpa_t gpa = table + 16 * entry;

	if (is_packed(run))
		put_desc(run, gpa, wish->addr, wish->len, 0, wish->flags);
	else
		put_desc(run, gpa, wish->addr, wish->len,
			wish->flags | (more ? VIRTQ_DESC_F_NEXT : 0), entry + 1);
}

static void show_head(struct device_run *run, unsigned number, uint16_t head)
{
	struct device_queue *queue = &run->queues[number];
	le16 entry = cpu_to_le16(head), idx;

	if (is_packed(run))
		return;
	store(run, queue->avail + 4 + 2 * (queue->avail_idx % queue->size), &entry, sizeof entry);
	idx = cpu_to_le16(++queue->avail_idx);
	store(run, queue->avail + 2, &idx, sizeof idx);
}

/* When the driver wants an interrupt: used_event, or the driver's event suppression structure.
 * Virtio 2.7.7.1, 2.8.10. */
static void ask_for_interrupt(struct device_run *run)
{
	const struct device_queue *queue = &run->queues[take_queue(run)];
	le32 event = cpu_to_le32(take(&run->in, 4));

	if (is_packed(run))
		store(run, queue->avail, &event, sizeof event);
	else
		store(run, queue->avail + VIRTQ_USED_EVENT(queue->size), &event, 2);
}

/* A chain as a driver makes it, whose buffers are not what a driver would give, then maybe
 * a kick. */
static void offer(struct device_run *run)
{
	unsigned number = take_queue(run);
	unsigned how = take(&run->in, 1), count = how % 8 + 1, entries = 0;
	uint16_t head = run->queues[number].next;
	bool indirect = how & 0x10, kick = how & 0x20;
	gpa_t table = INDIRECT + (how >> 7); /* it has no alignment (virtio 2.7.5.3) */

	if (run->queues[number].size == 0)
		return;
	for (unsigned i = 0; i < count; i++) {
		struct wish wish = take_wish(run);
		bool more = i + 1 < count;

		if (!indirect || (how & 8 && i == 0))
			add_desc(run, number, &wish, more);
		else
			add_indirect(run, table, entries++, &wish, more);
	}
	if (entries > 0)
		add_desc(run, number, &(struct wish){table, 16 * entries, VIRTQ_DESC_F_INDIRECT},
			how & 0x40);
	show_head(run, number, head);
	if (kick)
		driver_kick(&run->driver, number);
}

/* With NOTIFICATION_DATA, and any data (virtio 2.9). */
static void kick(struct device_run *run)
{
	uint32_t value = take_queue(run);

	if (virtio_has_feature(run->driver.dev, VIRTIO_F_NOTIFICATION_DATA))
		value |= (uint32_t)take(&run->in, 2) << 16;
	reg_write(&run->driver, VIRTIO_MMIO_QUEUE_NOTIFY, value);
	driver_serve(&run->driver);
}

/* Stop a queue, or reset it (virtio 2.6.1), and set it up anew: of any size, anywhere, also where
 * it must not be. */
static void replace_queue(struct device_run *run)
{
	unsigned number = take_queue(run), how = take(&run->in, 1);
	struct device_queue queue = {0};

	queue.size = take(&run->in, 2);
	queue.desc = take(&run->in, 3) % (2 * DEVICE_RAM);
	queue.avail = take(&run->in, 3) % (2 * DEVICE_RAM);
	queue.used = take(&run->in, 3) % (2 * DEVICE_RAM);
	reg_write(&run->driver, VIRTIO_MMIO_QUEUE_SEL, number);
	reg_write(
		&run->driver, how & 1 ? VIRTIO_MMIO_QUEUE_RESET : VIRTIO_MMIO_QUEUE_READY, how & 1);
	if (how & 2)
		enable(run, number, &queue);
	driver_serve(&run->driver);
}

static void host_side(struct device_run *run)
{
	if (run->host_side)
		run->host_side(run);
	virtio_backend_ready(run->driver.dev, 0);
	driver_serve(&run->driver);
}

static void refuse_live(struct device_run *run)
{
	run->driver.host.live_error = take(&run->in, 1) % 2 ? -1 : 0;
}

static void config_changed(struct device_run *run)
{
	virtio_config_changed(run->driver.dev);
}

/* A part of the input, for what happens the next times the device is at work. */
static void prepare(struct device_run *run)
{
	const uint8_t *bytes;
	size_t len = take_bytes(&run->in, take(&run->in, 1), &bytes);

	run->meanwhile = input_of(bytes, len);
}

void device_meddle(void *ctx)
{
	struct device_run *run = ctx;

	if (take(&run->meanwhile, 1) % 4 == 1)
		poke_by(run, &run->meanwhile);
}

/* --- what must hold --------------------------------------------------------------------------- */

static void check_rom(struct device_run *run)
{
	static uint8_t expected[DEVICE_ROM];

	fill_rom(expected);
	assert(memcmp(at(run, DEVICE_RAM), expected, sizeof expected) == 0);
}

/* A look at the device changes nothing in guest memory, and its report is bounded, whatever the
 * rings hold. */
static void check_look(struct device_run *run)
{
	static struct state state;
	static uint8_t before[DEVICE_RAM];
	static struct text text;

	memcpy(before, at(run, 0), DEVICE_RAM);
	state.device_count = 1;
	virtio_inspect(run->driver.dev, &state.devices[0].view);
	assert(memcmp(before, at(run, 0), DEVICE_RAM) == 0);
	text_begin(&text);
	state_report(&state, &text);
	assert(strlen(text_lines(&text)) < 2048);
}

/* Virtio 2.4.1, 4.2.2.1: from the end of the write on, the device does not touch memory. */
static void check_reset(struct device_run *run)
{
	struct driver *driver = &run->driver;
	static uint8_t before[DEVICE_RAM];

	reg_write(driver, VIRTIO_MMIO_STATUS, 0);
	assert(driver_status(driver) == 0);
	assert(reg_read(driver, VIRTIO_MMIO_INTERRUPT_STATUS) == 0);
	memcpy(before, at(run, 0), DEVICE_RAM);
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		driver->host.pending[i] = true;
	virtio_backend_ready(driver->dev, 0);
	driver_serve(driver);
	assert(memcmp(before, at(run, 0), DEVICE_RAM) == 0);
}

/* The input has ended, so this is a driver that accepts nothing but VERSION_1, with queues of one
 * descriptor, and no buffers in them. */
static void check_bring_up(struct device_run *run)
{
	run->driver.host.live_error = 0;
	run->in.next = run->in.end;
	bring_up(run);
	driver_serve(&run->driver);
	assert(driver_status(&run->driver) ==
		(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |
			VIRTIO_STATUS_DRIVER_OK));
}

void device_end(struct device_run *run, struct virtio_device *dev)
{
	static void (*const deeds[])(struct device_run * run) = {
		offer,
		poke,
		kick,
		write_register,
		read_register,
		host_side,
		bring_up,
		refuse_live,
		config_changed,
		ask_for_interrupt,
		replace_queue,
		prepare,
	};

	virtio_offer(dev, VIRTIO_QUEUE_FEATURES);
	driver_attach(&run->driver, dev);
	bring_up(run);
	while (run->in.next != run->in.end) {
		unsigned deed = take(&run->in, 1) % (sizeof deeds / sizeof *deeds);

		deeds[deed](run);
	}
	check_look(run);
	driver_serve(&run->driver);
	check_rom(run);
	check_reset(run);
	check_bring_up(run);
	virtio_free(dev);
}
