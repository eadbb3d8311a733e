/* SPDX-License-Identifier: BSD-2-Clause */
#include "demo_machine.h"

#include <vole/virtio_blk.h>

#include "cpu.h"
#include "error.h"
#include "memory.h"
#include "printf.h"
#include "string.h"
#include "timer.h"
#include "x86.h"

#define CPUS_MAX 64

struct demo demo;

/* A CPU, once it runs: the number of its local APIC, and how long its start took. */
static struct cpu {
	bool up;
	unsigned id;
	atomic_bool has_id; /* it is written */
	uint32_t microseconds;
} cpus[CPUS_MAX];

void demo_fail(const char *what, int error)
{
	printf("%s: error %d\n", what, error);
	demo.failures++;
}

/* --- what the VMM says ------------------------------------------------------------------------ */

void demo_show_info(void)
{
	printf("start_info at 0x%p, %u bytes\n", demo.boot, demo.boot->size);
	printf("  IOAPIC 0x%08x, local APIC 0x%08x, %u CPU%s\n", demo.boot->ioapic_base,
		demo.boot->apic_base, demo.boot->cpu_count, demo.boot->cpu_count == 1 ? "" : "s");
	printf("  time-stamp counter %u kHz, APIC timer %u kHz\n", demo.boot->tsc_khz,
		demo.boot->apic_timer_khz);
	printf("  command line \"%s\"\n", info_cmdline(demo.boot));
	for (uint32_t i = 0; i < demo.boot->module_count; i++) {
		const struct module_entry *module = &info_modules(demo.boot)[i];

		printf("  module \"%s\" at 0x%08x, %u bytes\n", (const char *)module->name,
			module->base, module->size);
	}
}

void demo_show_memory(void)
{
	static const char *const uses[] = {"free", "kernel", "init"};

	printf("memory map, %u entries\n", demo.boot->mem_size);
	for (uint32_t i = 0; i < demo.boot->mem_size; i++) {
		const struct memory_map_entry *entry = &info_memory(demo.boot)[i];

		printf("  %08x - %08x  %7u KiB  %s%s\n", entry->base, entry->base + entry->size - 1,
			entry->size / 1024, entry->use < 3 ? uses[entry->use] : "unknown",
			entry->flags & VOLE_MEMORY_READ_ONLY ? ", read-only" : "");
	}
}

static const char *device_name(uint32_t id)
{
	switch (id) {
	case VIRTIO_ID_NONE:
		return "nothing";
	case VIRTIO_ID_NET:
		return "net";
	case VIRTIO_ID_BLOCK:
		return "block";
	case VIRTIO_ID_CONSOLE:
		return "console";
	case VIRTIO_ID_ENTROPY:
		return "rng";
	default:
		return "unknown";
	}
}

void demo_show_devices(void)
{
	printf("device map, %u entries\n", demo.boot->dev_size);
	for (uint32_t i = 0; i < demo.boot->dev_size; i++) {
		const struct device_map_entry *entry = &info_devices(demo.boot)[i];

		printf("  %08x  interrupt %-2u  %s\n", entry->base_addr, entry->interrupt_num,
			device_name(mmio_probe(entry)));
	}
}

/* --- devices ---------------------------------------------------------------------------------- */

/* What was agreed on about a device's queues. */
static void show_queues(const struct mmio *dev)
{
	static const struct {
		unsigned bit;
		const char *name;
	} features[] = {
		{VIRTIO_F_INDIRECT_DESC, "indirect descriptors"},
		{VIRTIO_F_EVENT_IDX, "event index"},
		{VIRTIO_F_IN_ORDER, "in order"},
		{VIRTIO_F_NOTIFICATION_DATA, "notification data"},
		{VIRTIO_F_RING_RESET, "ring reset"},
	};

	printf("  queues: %s", mmio_has_feature(dev, VIRTIO_F_RING_PACKED) ? "packed" : "split");
	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (mmio_has_feature(dev, features[i].bit))
			printf(", %s", features[i].name);
	printf("\n");
}

static void start_console(const struct device_map_entry *entry)
{
	if (demo.have_console)
		return;
	if (console_init(&demo.console, entry)) {
		demo.failures++;
		return;
	}
	demo.have_console = true;
	/* From here on the text below goes to this device, and no longer to the debug port. */
	printf_to(console_print, &demo.console);
	printf("console: this line came through virtio\n");
	show_queues(&demo.console.dev);
}

void demo_show_random(unsigned count)
{
	uint8_t bytes[DEMO_RNG_SHOW_MAX];
	int error = rng_read(&demo.rng, bytes, count);

	if (error) {
		demo_fail("rng", error);
		return;
	}
	/* A line at a time: each printf() is a request to the console. */
	printf("rng:\n");
	for (unsigned i = 0; i < count; i += 16) {
		char line[16 * 3 + 1];
		unsigned n = 0;

		for (unsigned k = i; k < count && k < i + 16; k++) {
			line[n++] = ' ';
			line[n++] = "0123456789abcdef"[bytes[k] / 16];
			line[n++] = "0123456789abcdef"[bytes[k] % 16];
		}
		line[n] = '\0';
		printf(" %s\n", line);
	}
}

static void start_rng(const struct device_map_entry *entry)
{
	if (demo.have_rng)
		return;
	if (rng_init(&demo.rng, entry)) {
		demo.failures++;
		return;
	}
	demo.have_rng = true;
	demo_show_random(16);
	show_queues(&demo.rng.dev);
}

void demo_show_sector(struct block *disk, uint32_t sector)
{
	char text[VIRTIO_BLK_SECTOR_SIZE + 1];
	char *line = text;
	int error = block_read(disk, sector, text, 1);

	if (error) {
		demo_fail("read", error);
		return;
	}
	text[VIRTIO_BLK_SECTOR_SIZE] = '\0';
	if (!*text)
		printf("  (no text)\n");
	while (*line) {
		char *end = line;

		for (; *end && *end != '\n'; end++)
			if (*end < ' ' || *end > '~')
				*end = '.';
		if (*end)
			*end++ = '\0';
		printf("  | %s\n", line);
		line = end;
	}
}

/* Write, flush, read back, compare, on the last sector, which gets back what was in it. */
static int try_writing(struct block *disk)
{
	static uint8_t before[VIRTIO_BLK_SECTOR_SIZE], pattern[VIRTIO_BLK_SECTOR_SIZE],
		after[VIRTIO_BLK_SECTOR_SIZE];
	uint64_t sector = disk->capacity - 1;
	int error = block_read(disk, sector, before, 1);

	for (unsigned i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + 1);
	memset(after, 0, sizeof(after));
	if (!error)
		error = block_write(disk, sector, pattern, 1);
	if (!error && disk->can_flush)
		error = block_flush(disk);
	if (!error)
		error = block_read(disk, sector, after, 1);
	if (!error && memcmp(pattern, after, sizeof(pattern)) != 0)
		error = -EIO;
	if (!error)
		error = block_write(disk, sector, before, 1);
	return error;
}

static void start_disk(const struct device_map_entry *entry)
{
	struct block *disk = &demo.disks[demo.disk_count];
	char id[VIRTIO_BLK_ID_BYTES + 1];
	int error;

	if (demo.disk_count == DEMO_DISKS_MAX)
		return;
	if (block_init(disk, entry)) {
		demo.failures++;
		return;
	}
	if (block_id(disk, id))
		id[0] = '\0';
	printf("disk %u: \"%s\", %llu sectors%s, sector 0 says\n", demo.disk_count, id,
		disk->capacity, disk->read_only ? ", read-only" : "");
	demo.disk_count++;
	demo_show_sector(disk, 0);
	show_queues(&disk->dev);
	if (disk->read_only)
		return;

	error = try_writing(disk);
	if (error)
		demo_fail("  write, flush, read back", error);
	else
		printf("  last sector: written, flushed, read back, compared, restored\n");
}

static void start_each(uint32_t id, void (*start_one)(const struct device_map_entry *entry))
{
	for (uint32_t i = 0; i < demo.boot->dev_size; i++)
		if (mmio_probe(&info_devices(demo.boot)[i]) == id)
			start_one(&info_devices(demo.boot)[i]);
}

void demo_start_devices(void)
{
	start_each(VIRTIO_ID_CONSOLE, start_console);
	start_each(VIRTIO_ID_ENTROPY, start_rng);
	start_each(VIRTIO_ID_BLOCK, start_disk);
}

void demo_show_interrupts(void)
{
	printf("interrupts so far\n");
	if (demo.have_console)
		printf("  console  %u\n", atomic_load(&demo.console.dev.interrupts));
	if (demo.have_rng)
		printf("  rng      %u\n", atomic_load(&demo.rng.dev.interrupts));
	for (unsigned i = 0; i < demo.disk_count; i++)
		printf("  disk %u   %u\n", i, atomic_load(&demo.disks[i].dev.interrupts));
}

/* --- CPUs ------------------------------------------------------------------------------------- */

/* Runs on the new CPU. */
static void new_cpu(void *ctx)
{
	struct cpu *cpu = ctx;

	cpu->id = irq_this_cpu();
	atomic_store(&cpu->has_id, true);
}

void demo_start_cpus(void)
{
	cpus[0].up = true;
	for (unsigned i = 1; i < cpu_count() && i < CPUS_MAX; i++) {
		uint64_t begin = read_tsc();
		int error = cpu_run(i, new_cpu, &cpus[i]);

		if (error) {
			demo_fail("CPU start", error);
			continue;
		}
		cpus[i].up = true;
		cpus[i].microseconds = (uint32_t)timer_microseconds(read_tsc() - begin);
		while (!atomic_load(&cpus[i].has_id))
			cpu_relax();
	}
}

void demo_show_cpus(void)
{
	for (unsigned i = 0; i < cpu_count() && i < CPUS_MAX; i++) {
		printf("CPU %u: ", i);
		if (!i)
			printf("the boot CPU\n");
		else if (cpus[i].up)
			printf("started in %u us, says that it is %u\n", cpus[i].microseconds,
				cpus[i].id);
		else
			printf("not started\n");
	}
}
