/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All devices busy, from several CPUs at once; for the thread sanitizer above all. Needs -c 5 and
 * two disks. CPU 0 drives the console, CPU 1 the entropy device, CPUs 2 and 3 a disk each: first by
 * the rules, each for itself. Then they go on while CPU 4 writes whatever comes to mind to the
 * registers of all four, so that two CPUs reset, start and stop one device at the same time. In the
 * end all four work as before. Exit status 0. Console output is empty lines; vole reports rings
 * that it cannot make sense of.
 */

#include <stdatomic.h>

#include <vole/virtio_console.h>
#include <vole/virtio_mmio.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "rng.h"
#include "x86.h"

#define WORKERS   4   /* one for each device */
#define TRANSFERS 4   /* by the rules, of each */
#define ROUNDS    10  /* of each, against the other CPU */
#define PATIENCE  200 /* looks at a used ring that may never be filled */

static struct console console;
static struct rng rng;
static struct block disks[2];

/* What CPU 4 plays with: the devices' windows, and memory for the rings that it makes up. */
static struct mmio devices[WORKERS];
static uint8_t *rings;

/* A CPU's own way to its device, past the library's care. */
static struct worker {
	struct mmio *dev;
	unsigned queue;
	struct virtq vq;
	struct block_request request;
	uint8_t data[VIRTIO_BLK_SECTOR_SIZE];
} workers[WORKERS];

static atomic_uint begun, ruled, finished;

/* Everybody is here. */
static void meet(atomic_uint *count, unsigned cpus)
{
	atomic_fetch_add(count, 1);
	while (atomic_load(count) < cpus)
		cpu_relax();
}

/* --- by the rules ----------------------------------------------------------------------------- */

static void transfer(unsigned cpu, unsigned i)
{
	uint8_t data[VIRTIO_BLK_SECTOR_SIZE];
	struct block *disk = &disks[cpu % 2];

	if (cpu == 0) {
		check(console_write(&console, "\n", 1) == 0, "console takes output");
	} else if (cpu == 1) {
		check(rng_read(&rng, data, 64) == 0, "entropy comes");
	} else {
		memset(data, cpu + i, sizeof(data));
		check(block_write(disk, i, data, 1) == 0, "CPU %u writes", cpu);
		memset(data, 0, sizeof(data));
		check(block_read(disk, i, data, 1) == 0, "CPU %u reads", cpu);
		check(data[0] == cpu + i && data[VIRTIO_BLK_SECTOR_SIZE - 1] == cpu + i,
			"CPU %u reads what it wrote", cpu);
		check(block_flush(disk) == 0, "CPU %u flushes", cpu);
	}
}

/* --- against the rules ------------------------------------------------------------------------ */

/* As mmio_begin() and its kin have it, but for what goes wrong: that is nothing to
 * wait for here. */
static void bring_up(struct worker *w)
{
	struct mmio *dev = w->dev;

	mmio_write(dev, VIRTIO_MMIO_STATUS, 0);
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(dev->features >> 32));
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)dev->features);
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_FEATURES_OK);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, w->queue);
	virtq_init(&w->vq, dev, w->queue, 8);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SIZE, w->vq.size);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)w->vq.desc);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)w->vq.driver);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)w->vq.device);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_DRIVER_OK);
}

static void submit(struct worker *w, unsigned cpu)
{
	struct block_request *request = &w->request;
	struct virtq_buffer buffers[] = {
		{&request->header, sizeof(request->header)},
		{w->data, sizeof(w->data)},
		{&request->status, 1},
	};

	w->data[0] = '\n';
	request->header = (struct virtio_blk_req){.type = cpu_to_le32(VIRTIO_BLK_T_IN)};
	if (cpu == 0)
		virtq_add(&w->vq, &(struct virtq_buffer){w->data, 1}, 1, 0, w);
	else if (cpu == 1)
		virtq_add(&w->vq, &(struct virtq_buffer){w->data, 64}, 0, 1, w);
	else
		virtq_add(&w->vq, buffers, 1, 2, w);
	virtq_kick(&w->vq);
}

static void work(unsigned cpu)
{
	struct worker *w = &workers[cpu];

	for (unsigned i = 0; i < ROUNDS; i++) {
		bring_up(w);
		submit(w, cpu);
		for (unsigned n = 0; n < PATIENCE && !virtq_pending(&w->vq); n++)
			cpu_relax();
	}
}

static uint32_t random(void)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return state >> 8;
}

/* Some part of a ring, in memory that is for nothing else: the device may write to it
 * what it likes. */
static uint32_t some_place(void)
{
	return (uint32_t)rings + random() % PAGE_SIZE / 16 * 16;
}

/* One access to a register of this device. */
static void disturb(const struct mmio *device)
{
	static const uint16_t areas[] = {VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_DRIVER_LOW,
		VIRTIO_MMIO_QUEUE_DEVICE_LOW};
	static const uint8_t states[] = {0x01, 0x03, 0x0b, 0x0f, 0x40, 0x80, 0xff};
	struct mmio dev = *device;
	uint32_t value = random();
	unsigned area = areas[value % 3];

	switch (random() % 16) {
	case 0:
		mmio_write(&dev, VIRTIO_MMIO_STATUS, 0);
		break;
	case 1:
	case 2:
		mmio_write(&dev, VIRTIO_MMIO_STATUS, states[value % sizeof(states)]);
		break;
	case 3:
		mmio_write(&dev, VIRTIO_MMIO_QUEUE_SEL, value % 4);
		break;
	case 4:
		mmio_write(&dev, VIRTIO_MMIO_QUEUE_READY, value % 2);
		break;
	case 5:
		mmio_write(&dev, VIRTIO_MMIO_QUEUE_RESET, 1);
		break;
	case 6:
		mmio_write(&dev, VIRTIO_MMIO_QUEUE_SIZE, 1 << value % 9);
		break;
	case 7:
		mmio_write(&dev, area, some_place());
		break;
	case 8:
		mmio_write(&dev, area + 4, value % 2);
		break;
	case 9:
	case 10:
		mmio_write(&dev, VIRTIO_MMIO_QUEUE_NOTIFY, value % 4);
		break;
	case 11:
		mmio_write(&dev, VIRTIO_MMIO_INTERRUPT_ACK, value % 4);
		break;
	case 12:
		mmio_write(&dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, value % 3);
		break;
	case 13:
		mmio_write(&dev, VIRTIO_MMIO_DRIVER_FEATURES, value);
		break;
	case 14: /* the console's emergency write, if it has one, is another empty line */
		mmio_write(&dev, VIRTIO_MMIO_CONFIG + value % 16 * 4, '\n');
		break;
	default:
		mmio_config32(&dev, value % 24 * 4);
		mmio_config_generation(&dev);
		mmio_read(&dev, VIRTIO_MMIO_QUEUE_READY);
		mmio_read(&dev, VIRTIO_MMIO_INTERRUPT_STATUS);
	}
}

/* --- the CPUs --------------------------------------------------------------------------------- */

static void run(void *ctx)
{
	unsigned cpu = (unsigned)ctx;

	meet(&begun, WORKERS + 1);
	for (unsigned i = 0; cpu < WORKERS && i < TRANSFERS; i++)
		transfer(cpu, i);
	meet(&ruled, WORKERS + 1);
	if (cpu < WORKERS)
		work(cpu);
	else
		while (atomic_load(&finished) < WORKERS)
			disturb(&devices[random() % WORKERS]);
	meet(&finished, WORKERS + 1);
}

static const struct device_map_entry *find(
	const struct start_info *info, uint32_t id, unsigned skip)
{
	for (uint32_t i = 0; i < info->dev_size; i++)
		if (mmio_probe(&info_devices(info)[i]) == id && skip-- == 0)
			return &info_devices(info)[i];
	printf("no device with id %u\n", id);
	power_off(1);
}

static void init(const struct start_info *info, const char *when)
{
	check(console_init(&console, find(info, VIRTIO_ID_CONSOLE, 0)) == 0, "console, %s", when);
	check(rng_init(&rng, find(info, VIRTIO_ID_ENTROPY, 0)) == 0, "entropy device, %s", when);
	for (unsigned i = 0; i < 2; i++)
		check(block_init(&disks[i], find(info, VIRTIO_ID_BLOCK, i)) == 0, "disk %u, %s", i,
			when);
}

int main(const struct start_info *info)
{
	struct mmio *const drivers[] = {&console.dev, &rng.dev, &disks[0].dev, &disks[1].dev};

	if (cpu_count() != WORKERS + 1)
		return 1;
	init(info, "at first");
	rings = pages_take(2);
	memset(rings, 0, 2 * PAGE_SIZE);
	for (unsigned i = 0; i < WORKERS; i++) {
		devices[i] = *drivers[i];
		workers[i].dev = &devices[i];
		workers[i].queue = i == 0 ? VIRTIO_CONSOLE_QUEUE_TRANSMIT : 0;
	}
	for (unsigned i = 1; i < cpu_count(); i++)
		check(cpu_run(i, run, (void *)i) == 0, "CPU %u starts", i);
	run(NULL);

	init(info, "HARD-14 HARD-24 after resets and states from two CPUs");
	for (unsigned i = 0; i < WORKERS; i++)
		transfer(i, 0);
	return check_done();
}
