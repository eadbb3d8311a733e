/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/boot/inspect.c: what vole shows of an image, its memory map and its boot data. */
#include "boot/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../elf_make.h"
#include "../tap.h"
#include "boot/boot_data.h"

#define MIB 0x100000u

static uint8_t ram[VOLE_BOOT_DATA_END];

static void test_inspect(void)
{
	static const struct boot_device devices[] = {
		{"console", 0xd0000000, 1},
		{"block disk.img", 0xd0001000, 2},
	};
	static const char *const lines[] = {
		"Command line  quiet\n",
		"Machine       16 MiB of RAM, CPUs: 2;",
		"       0  0x00100000  0x0010003f  0x00000040   0x00000040  r-x\n",
		"       1  0x00102000  0x00102fff  0x00001000   0x00000020  rw-\n",
		"  0x00001000  0x00003fff      12 KiB  read-only   1 kernel (boot data)\n",
		"  0x00008000  0x000fffff     992 KiB  read/write  0 free\n",
		"  0x00100000  0x00100fff       4 KiB  read-only   1 kernel\n",
		"  0x00ffd000  0x00ffffff      12 KiB  read/write  2 init (modules)\n",
		"  0x00fff000       100 B  dir/initrd.img\n",
		"  0x00ffd000       8 KiB  plain\n",
		"  0xd0000000          1  console\n",
		"  0xd0001000          2  block disk.img\n",
		"  EIP  0x00100000  entry point: start\n",
		"  EAX  0x656c6f76  ",
		"  ESP  0x00007fec  ",
		"  CS   0x08 ",
		"  DS   0x10 ",
		"  GDT  0x00001c00  limit 0x17",
		"  IDT  0x00001000  limit 0x7ff",
	};
	struct boot_module modules[] = {
		{"dir/initrd.img", 100, 0},
		{"plain", 8192, 0},
	};
	const struct boot_config config = {
		.cpu_count = 2,
		.device_count = 2,
		.cmdline = "quiet",
		.modules = modules,
		.module_count = 2,
	};
	int fd = memfd_create("elf", MFD_CLOEXEC);
	struct memory_map map;
	struct boot_entry entry;
	struct elf_file file;
	struct image image;
	char path[64], *text;
	size_t len;
	FILE *out;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	elf_make(&file, &elf_kinds[0]);
	is(pwrite(fd, &file, file.len, 0), file.len, "inspect: written");
	is(image_open(&image, path), 0, "inspect: opens");
	is(memory_map_build(&map, 16 * MIB, &image, modules, 2), 0, "inspect: is placed");
	memset(ram, 0, sizeof ram);
	is(boot_data_write(ram, &map, &config, &entry), 0, "inspect: has boot data");

	out = open_memstream(&text, &len);
	is(inspect_print(out, &image, &map, &config, &entry, devices), 0, "inspect prints");
	fclose(out);
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!ok(strstr(text, lines[i]), "inspect: %.*s", (int)strcspn(lines[i], "\n"),
			    lines[i]))
			printf("# in:\n%s\n", text);
	free(text);

	out = fopen("/dev/full", "w");
	if (out) {
		is(-inspect_print(out, &image, &map, &config, &entry, devices), ENOSPC,
			"inspect: a full disk is an error");
		fclose(out);
	}
	image_free(&image);
	close(fd);
}

int main(void)
{
	test_inspect();
	return tap_done();
}
