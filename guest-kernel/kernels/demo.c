/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows all there is: what the VMM says about the machine, every device and every CPU at work, and
 * then a small prompt, if somebody sits at the console. Without, it powers off with exit code 0, or
 * 1 if something did not work.
 */

#include <vole/virtio_blk.h>

#include "block.h"
#include "console.h"
#include "cpu.h"
#include "error.h"
#include "memory.h"
#include "printf.h"
#include "rng.h"
#include "start.h"
#include "string.h"
#include "timer.h"
#include "x86.h"

#define DISKS_MAX    16 /* more than vole's machine can have */
#define CPUS_MAX     64
#define RNG_SHOW_MAX 256 /* bytes of "rng N" */
#define LINE_MAX     256

static const struct start_info *boot;

static struct console console;
static struct rng rng;
static struct block disks[DISKS_MAX];
static bool have_console, have_rng;
static unsigned disk_count;

/* Of each CPU, once it runs: its own number, by its local APIC, and how long its start took. */
static struct cpu {
	bool up;
	unsigned id;
	atomic_bool has_id; /* it is written */
	uint32_t microseconds;
} cpus[CPUS_MAX];

static int failures;

static void fail(const char *what, int error)
{
	printf("%s: error %d\n", what, error);
	failures++;
}

/* --- what the VMM says ------------------------------------------------------------------------ */

static void show_info(void)
{
	printf("start_info at 0x%p, %u bytes\n", boot, boot->size);
	printf("  IOAPIC 0x%08x, local APIC 0x%08x, %u CPU%s\n", boot->ioapic_base, boot->apic_base,
		boot->cpu_count, boot->cpu_count == 1 ? "" : "s");
	printf("  time-stamp counter %u kHz, APIC timer %u kHz\n", boot->tsc_khz,
		boot->apic_timer_khz);
	printf("  command line \"%s\"\n", info_cmdline(boot));
	for (uint32_t i = 0; i < boot->module_count; i++) {
		const struct module_entry *module = &info_modules(boot)[i];

		printf("  module \"%s\" at 0x%08x, %u bytes\n", (const char *)module->name,
			module->base, module->size);
	}
}

static void show_memory(void)
{
	static const char *const uses[] = {"free", "kernel", "init"};

	printf("memory map, %u entries\n", boot->mem_size);
	for (uint32_t i = 0; i < boot->mem_size; i++) {
		const struct memory_map_entry *entry = &info_memory(boot)[i];

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

static void show_devices(void)
{
	printf("device map, %u entries\n", boot->dev_size);
	for (uint32_t i = 0; i < boot->dev_size; i++) {
		const struct device_map_entry *entry = &info_devices(boot)[i];

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
	if (have_console)
		return;
	if (console_init(&console, entry)) {
		failures++;
		return;
	}
	have_console = true;
	/* From here on the text below goes to this device, and no longer to the debug port. */
	printf_to(console_print, &console);
	printf("console: this line came through virtio\n");
	show_queues(&console.dev);
}

static void show_random(unsigned count)
{
	uint8_t bytes[RNG_SHOW_MAX];
	int error = rng_read(&rng, bytes, count);

	if (error) {
		fail("rng", error);
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
	if (have_rng)
		return;
	if (rng_init(&rng, entry)) {
		failures++;
		return;
	}
	have_rng = true;
	show_random(16);
	show_queues(&rng.dev);
}

/* A sector's text, up to the first NUL. */
static void show_sector(struct block *disk, uint32_t sector)
{
	char text[VIRTIO_BLK_SECTOR_SIZE + 1];
	char *line = text;
	int error = block_read(disk, sector, text, 1);

	if (error) {
		fail("read", error);
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
	struct block *disk = &disks[disk_count];
	char id[VIRTIO_BLK_ID_BYTES + 1];
	int error;

	if (disk_count == DISKS_MAX)
		return;
	if (block_init(disk, entry)) {
		failures++;
		return;
	}
	if (block_id(disk, id))
		id[0] = '\0';
	printf("disk %u: \"%s\", %llu sectors%s, sector 0 says\n", disk_count, id, disk->capacity,
		disk->read_only ? ", read-only" : "");
	disk_count++;
	show_sector(disk, 0);
	show_queues(&disk->dev);
	if (disk->read_only)
		return;

	error = try_writing(disk);
	if (error)
		fail("  write, flush, read back", error);
	else
		printf("  last sector: written, flushed, read back, compared, restored\n");
}

static void start_devices(uint32_t id, void (*start_one)(const struct device_map_entry *entry))
{
	for (uint32_t i = 0; i < boot->dev_size; i++)
		if (mmio_probe(&info_devices(boot)[i]) == id)
			start_one(&info_devices(boot)[i]);
}

static void show_interrupts(void)
{
	printf("interrupts so far\n");
	if (have_console)
		printf("  console  %u\n", atomic_load(&console.dev.interrupts));
	if (have_rng)
		printf("  rng      %u\n", atomic_load(&rng.dev.interrupts));
	for (unsigned i = 0; i < disk_count; i++)
		printf("  disk %u   %u\n", i, atomic_load(&disks[i].dev.interrupts));
}

/* --- CPUs ------------------------------------------------------------------------------------- */

/* Runs on the new CPU. */
static void new_cpu(void *ctx)
{
	struct cpu *cpu = ctx;

	cpu->id = irq_this_cpu();
	atomic_store(&cpu->has_id, true);
}

static void start_cpus(void)
{
	cpus[0].up = true;
	for (unsigned i = 1; i < cpu_count() && i < CPUS_MAX; i++) {
		uint64_t begin = read_tsc();
		int error = cpu_run(i, new_cpu, &cpus[i]);

		if (error) {
			fail("CPU start", error);
			continue;
		}
		cpus[i].up = true;
		cpus[i].microseconds = (uint32_t)timer_microseconds(read_tsc() - begin);
		while (!atomic_load(&cpus[i].has_id))
			cpu_relax();
	}
}

static void show_cpus(void)
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

/* --- the prompt ------------------------------------------------------------------------------- */

static void read_command(const char *arguments)
{
	uint32_t sector;

	if (!disk_count)
		printf("there is no disk; run vole with --disk FILE\n");
	else if (!parse_number(arguments, &sector, NULL))
		printf("read N: N is the number of a sector, 0 to %llu\n", disks[0].capacity - 1);
	else if (sector >= disks[0].capacity)
		printf("disk 0 ends with sector %llu\n", disks[0].capacity - 1);
	else
		show_sector(&disks[0], sector);
}

static void write_command(const char *arguments)
{
	static char data[VIRTIO_BLK_SECTOR_SIZE];
	const char *text;
	uint32_t sector;
	int error;

	if (!disk_count) {
		printf("there is no disk; run vole with --disk FILE\n");
	} else if (!parse_number(arguments, &sector, &text) || !*text) {
		printf("write N TEXT: N is the number of a sector, TEXT what to write\n");
	} else if (sector >= disks[0].capacity) {
		printf("disk 0 ends with sector %llu\n", disks[0].capacity - 1);
	} else if (disks[0].read_only) {
		printf("disk 0 is read-only\n");
	} else {
		/* A line is shorter than a sector; the rest is zeros. */
		memset(data, 0, sizeof(data));
		memcpy(data, text, strlen(text) + 1);
		error = block_write(&disks[0], sector, data, 1);
		if (!error && disks[0].can_flush)
			error = block_flush(&disks[0]);
		if (error)
			fail("write", error);
		else
			printf("sector %u written\n", sector);
	}
}

/* What disk 0 is like, and what it can do. */
static void disk_command(const char *arguments)
{
	struct block *disk = &disks[0];

	if (!disk_count) {
		printf("there is no disk; run vole with --disk FILE\n");
		return;
	}
	if (strcmp(arguments, "back") == 0 || strcmp(arguments, "through") == 0) {
		if (block_set_write_back(disk, *arguments == 'b'))
			printf("disk 0 does not let us choose\n");
	} else if (*arguments) {
		printf("disk, or disk back, or disk through: how it is to write\n");
		return;
	}
	printf("disk 0: %llu sectors, in blocks of %u bytes, of which %u are one inside%s\n",
		disk->capacity, disk->block, disk->unit / disk->block,
		disk->read_only ? "; read-only" : "");
	printf("  queues: %u; pieces of up to %u bytes; it writes %s\n", disk->queue_count,
		disk->len_max,
		block_writes_back(disk) ? "back, when it is told to flush" : "through, at once");
	printf("  discards %u ranges of %u sectors at once, writes zeroes to %u of %u\n",
		disk->discard.segments, disk->discard.sectors, disk->zero.segments,
		disk->zero.sectors);
}

static void zero_command(const char *arguments)
{
	uint32_t sector;
	int error;

	if (!disk_count) {
		printf("there is no disk; run vole with --disk FILE\n");
	} else if (!parse_number(arguments, &sector, NULL)) {
		printf("zero N: N is the number of a sector\n");
	} else {
		error = block_zero(&disks[0], sector, 1, true);
		if (error)
			fail("zero", error);
		else
			printf("sector %u is all zeroes\n", sector);
	}
}

static void rng_command(const char *arguments)
{
	uint32_t count;

	if (!have_rng)
		printf("there is no rng\n");
	else if (!parse_number(arguments, &count, NULL) || !count || count > RNG_SHOW_MAX)
		printf("rng N: N is how many bytes, 1 to %u\n", RNG_SHOW_MAX);
	else
		show_random(count);
}

static void exit_command(const char *arguments)
{
	uint32_t code = 0;

	if (*arguments && !parse_number(arguments, &code, NULL))
		printf("exit N: N is vole's exit status, 0 to 119\n");
	else
		power_off(code);
}

static void crash_command(const char *arguments)
{
	(void)arguments;
	printf("storing through a null pointer; vole will say where\n");
	/* The compiler would not let us: it knows that nobody does this. */
	__asm__ volatile("movl $1, 0" : : : "memory");
}

static void mem_command(const char *arguments)
{
	(void)arguments;
	show_memory();
}

static void dev_command(const char *arguments)
{
	(void)arguments;
	show_devices();
	show_interrupts();
}

static void cpus_command(const char *arguments)
{
	(void)arguments;
	show_cpus();
}

static void help_command(const char *arguments);

static const struct {
	const char *name;
	void (*run)(const char *arguments);
	const char *help;
} commands[] = {
	{"help", help_command, "help          this list"},
	{"mem", mem_command, "mem           the memory map"},
	{"dev", dev_command, "dev           the devices, and how often each interrupted"},
	{"cpus", cpus_command, "cpus          the CPUs"},
	{"rng", rng_command, "rng N         N random bytes"},
	{"read", read_command, "read N        the text in sector N of disk 0"},
	{"write", write_command, "write N TEXT  replace sector N of disk 0"},
	{"zero", zero_command, "zero N        have the disk write zeroes to sector N"},
	{"disk", disk_command,
		"disk          what disk 0 can do; disk back, disk through: how it writes"},
	{"crash", crash_command, "crash         what a kernel's bug looks like"},
	{"exit", exit_command, "exit N        power off; N is vole's exit status"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help_command(const char *arguments)
{
	(void)arguments;
	for (unsigned i = 0; i < COMMANDS; i++)
		printf("  %s\n", commands[i].help);
}

static void run_command(char *line)
{
	char *name, *arguments;

	while (*line == ' ')
		line++;
	name = line;
	while (*line && *line != ' ')
		line++;
	arguments = line;
	while (*arguments == ' ')
		arguments++;
	*line = '\0';

	if (!*name)
		return;
	if (disk_count && block_look_again(&disks[0]))
		printf("disk 0 has another size\n");
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0) {
			commands[i].run(arguments);
			return;
		}
	}
	printf("there is no command \"%s\"; \"help\" lists them\n", name);
}

/* The rest of an escape sequence, of a cursor key for example: nothing here understands them. */
static void skip_escape(void)
{
	int byte = console_read_byte(&console);

	if (byte != '[' && byte != 'O')
		return;
	do {
		byte = console_read_byte(&console);
	} while (byte >= ' ' && byte < '@'); /* parameters; then one letter */
}

/* A line from the console, without its end. False if there will be no more input. */
static bool read_line(char line[LINE_MAX])
{
	unsigned len = 0;

	for (;;) {
		int byte = console_read_byte(&console);

		if (byte < 0)
			return false;
		switch (byte) {
		case '\r': /* what the key sends */
		case '\n': /* what a file has */
			printf("\n");
			line[len] = '\0';
			return true;
		case 'C' - '@': /* control and C: forget the line */
			printf("^C\n");
			line[0] = '\0';
			return true;
		case 'U' - '@': /* forget it, but stay on it */
			for (; len; len--)
				printf("\b \b");
			break;
		case '\b':
		case 0x7f: /* one of the two is what the backspace key sends */
			if (len) {
				printf("\b \b");
				len--;
			}
			break;
		case 0x1b:
			skip_escape();
			break;
		default:
			if (len == LINE_MAX - 1) {
				printf("\a"); /* no room */
			} else if (byte >= ' ' && byte <= '~') {
				line[len++] = (char)byte;
				printf("%c", byte);
			}
		}
	}
}

static void prompt(void)
{
	char line[LINE_MAX];

	printf("\nType \"help\" for a list of commands.\n");
	do {
		printf("demo> ");
		if (!read_line(line))
			return;
		run_command(line);
	} while (true);
}

int main(const struct start_info *info)
{
	unsigned cols, rows;

	boot = info;
	printf("vole demo kernel\n\n");
	show_info();
	show_memory();
	show_devices();
	printf("\n");

	start_devices(VIRTIO_ID_CONSOLE, start_console);
	start_devices(VIRTIO_ID_ENTROPY, start_rng);
	start_devices(VIRTIO_ID_BLOCK, start_disk);
	start_cpus();
	show_cpus();
	if (boot->dev_size)
		show_interrupts();

	if (have_console) {
		console_size(&console, &cols, &rows);
		if (cols)
			prompt();
	}
	return failures ? 1 : 0;
}
