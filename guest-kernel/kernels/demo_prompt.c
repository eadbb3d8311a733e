/* SPDX-License-Identifier: BSD-2-Clause */
#include "demo_prompt.h"

#include <vole/virtio_blk.h>

#include "block.h"
#include "console.h"
#include "demo_machine.h"
#include "printf.h"
#include "start.h"
#include "string.h"

#define LINE_MAX 256

/* --- commands --------------------------------------------------------------------------------- */

static void read_command(const char *arguments)
{
	uint32_t sector;

	if (!demo.disk_count)
		printf("there is no disk; run vole with --disk FILE\n");
	else if (!parse_number(arguments, &sector, NULL))
		printf("read N: N is the number of a sector, 0 to %llu\n",
			demo.disks[0].capacity - 1);
	else if (sector >= demo.disks[0].capacity)
		printf("disk 0 ends with sector %llu\n", demo.disks[0].capacity - 1);
	else
		demo_show_sector(&demo.disks[0], sector);
}

static void write_command(const char *arguments)
{
	static char data[VIRTIO_BLK_SECTOR_SIZE];
	const char *text;
	uint32_t sector;
	int error;

	if (!demo.disk_count) {
		printf("there is no disk; run vole with --disk FILE\n");
	} else if (!parse_number(arguments, &sector, &text) || !*text) {
		printf("write N TEXT: N is the number of a sector, TEXT what to write\n");
	} else if (sector >= demo.disks[0].capacity) {
		printf("disk 0 ends with sector %llu\n", demo.disks[0].capacity - 1);
	} else if (demo.disks[0].read_only) {
		printf("disk 0 is read-only\n");
	} else {
		/* A line is shorter than a sector; the rest is zeros. */
		memset(data, 0, sizeof(data));
		memcpy(data, text, strlen(text) + 1);
		error = block_write(&demo.disks[0], sector, data, 1);
		if (!error && demo.disks[0].can_flush)
			error = block_flush(&demo.disks[0]);
		if (error)
			demo_fail("write", error);
		else
			printf("sector %u written\n", sector);
	}
}

/* Prints the properties and limits of disk 0, or changes how it writes. */
static void disk_command(const char *arguments)
{
	struct block *disk = &demo.disks[0];

	if (!demo.disk_count) {
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

	if (!demo.disk_count) {
		printf("there is no disk; run vole with --disk FILE\n");
	} else if (!parse_number(arguments, &sector, NULL)) {
		printf("zero N: N is the number of a sector\n");
	} else {
		error = block_zero(&demo.disks[0], sector, 1, true);
		if (error)
			demo_fail("zero", error);
		else
			printf("sector %u is all zeroes\n", sector);
	}
}

static void rng_command(const char *arguments)
{
	uint32_t count;

	if (!demo.have_rng)
		printf("there is no rng\n");
	else if (!parse_number(arguments, &count, NULL) || !count || count > DEMO_RNG_SHOW_MAX)
		printf("rng N: N is how many bytes, 1 to %u\n", DEMO_RNG_SHOW_MAX);
	else
		demo_show_random(count);
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
	demo_show_memory();
}

static void dev_command(const char *arguments)
{
	(void)arguments;
	demo_show_devices();
	demo_show_interrupts();
}

static void cpus_command(const char *arguments)
{
	(void)arguments;
	demo_show_cpus();
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
	if (demo.disk_count && block_look_again(&demo.disks[0]))
		printf("disk 0 has another size\n");
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0) {
			commands[i].run(arguments);
			return;
		}
	}
	printf("there is no command \"%s\"; \"help\" lists them\n", name);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Reads the rest of an escape sequence, which a cursor key sends for example, and ignores it. */
static void skip_escape(void)
{
	int byte = console_read_byte(&demo.console);

	if (byte != '[' && byte != 'O')
		return;
	do {
		byte = console_read_byte(&demo.console);
	} while (byte >= ' ' && byte < '@'); /* parameters; then one letter */
}

/* Reads a line from the console, without its end. Returns false if there will be no more input. */
static bool read_line(char line[LINE_MAX])
{
	unsigned len = 0;

	for (;;) {
		int byte = console_read_byte(&demo.console);

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

void demo_prompt(void)
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
