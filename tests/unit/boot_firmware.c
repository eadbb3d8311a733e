/* SPDX-License-Identifier: BSD-2-Clause */
/* BIOS images: which are recognised, and where they go. */
#include "boot/boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../capture.h"
#include "../refusal.h"
#include "../tap.h"
#include "exit_status.h"

#define KIB  1024u
#define RAM  (16u << 20)
#define PAGE 4096u

static char path[] = "/tmp/vole-firmware-XXXXXX";

/* --- recognition ------------------------------------------------------------------------------ */

static const char *recognised(uint64_t size, const char *tail, size_t len)
{
	struct boot_file file = {.path = path, .size = size};

	memcpy(file.tail, tail, len);
	return boot_firmware.recognise(&file);
}

static void check_recognition(void)
{
	static const char far_jump[] = "\xea\x5b\xe0\x00\xf0";

	for (unsigned kib = 64; kib <= 1024; kib *= 2)
		ok(recognised(kib * KIB, far_jump, 5), "a far jump to f000: is a BIOS at %u KiB",
			kib);
	ok(!recognised(100 * KIB, far_jump, 5), "not at 100 KiB");
	ok(!recognised(0, far_jump, 5) && !recognised(5, far_jump, 5), "not in a few bytes");
	ok(recognised(128 * KIB, "\xe9\x00\xff", 3), "a near jump is firmware at 128 KiB");
	ok(recognised(256 * KIB, "\xeb\xf0", 2), "a short jump is firmware at 256 KiB");
	ok(recognised(128 * KIB, "\xea\x00\x00\x00\xe0", 5), "a far jump elsewhere, too");
	ok(!recognised(512 * KIB, "\xe9\x00\xff", 3), "but not at other sizes");
	ok(recognised(1024 * KIB, "\xfa\xfc\xe9\x0b\xf8\xff\xff", 7), "U-Boot, at any size");
	ok(!recognised(128 * KIB, "\x90\xe9\x00", 3),
		"no jump at the reset vector: not recognised");
	ok(!recognised(128 * KIB, "", 0), "nothing at the reset vector: not recognised");
}

/* --- placing ---------------------------------------------------------------------------------- */

/* An image in which each page says which it is, with the far jump at its end. */
static void write_image(uint32_t size)
{
	FILE *file = fopen(path, "w");
	uint8_t page[PAGE];

	for (uint32_t at = 0; file && at < size; at += PAGE) {
		memset(page, (int)(at / PAGE) + 1, sizeof page);
		if (at + PAGE >= size)
			memcpy(page + PAGE - 16, "\xea\x5b\xe0\x00\xf0", 5);
		fwrite(page, 1, sizeof page, file);
	}
	if (!file || fclose(file) != 0)
		exit(1);
}

static struct options options_of(uint32_t ram)
{
	return (struct options){.kernel = path, .boot = "auto", .memory_size = ram, .cpu_count = 1};
}

static bool is_region(const struct boot *boot, unsigned n, uint64_t base, uint64_t end, bool rom)
{
	const struct memory_region *region = &boot->regions[n];

	return region->base == base && (uint64_t)region->base + region->size == end &&
	       region->read_only == rom;
}

static void check_place(uint32_t size)
{
	const uint64_t top = 1ull << 32;
	struct options options = options_of(RAM);
	struct memory memory = MEMORY_EMPTY;
	struct boot_machine machine = {.cpu_count = 1};
	unsigned kib = size / KIB;
	struct boot *boot;
	uint8_t *rom;

	write_image(size);
	is(boot_open(&boot, &options), 0, "%u KiB: recognised and opened", kib);
	ok(boot->protocol == &boot_firmware, "%u KiB: as firmware", kib);
	is(boot->region_count, 3, "%u KiB: three regions", kib);
	ok(is_region(boot, 0, 0, 640 * KIB, false), "%u KiB: RAM below the hole", kib);
	ok(is_region(boot, 1, 768 * KIB, RAM, false), "%u KiB: RAM above the hole", kib);
	ok(is_region(boot, 2, top - size, top, true), "%u KiB: read-only up to 4 GiB", kib);
	if (memory_init(&memory, boot->regions, boot->region_count) == 0)
		is(boot->protocol->load(boot, &memory, &machine), 0, "%u KiB: loaded", kib);
	rom = memory.host + top - size;
	ok(rom[0] == 1 && rom[size - 17] == size / PAGE && rom[size - 16] == 0xea,
		"%u KiB: the image ends at 4 GiB", kib);
	ok(memcmp(memory.host + 0xe0000, rom + size - 128 * KIB, 128 * KIB) == 0,
		"%u KiB: its last 128 KiB are below 1 MiB as well", kib);
	ok(!gmem_ptr(&memory.gmem, top - 1, 1, GMEM_WRITE), "%u KiB: devices may not write it",
		kib);
	ok(!gmem_ptr(&memory.gmem, 0xa0000, 1, GMEM_READ) &&
			!gmem_ptr(&memory.gmem, 0xbffff, 1, GMEM_READ),
		"%u KiB: the hole is no memory", kib);
	is(boot->state.mode, ENTRY_RESET, "%u KiB: the CPU begins as after a reset", kib);
	memory_free(&memory);
	boot_free(boot);
}

static void check_refusals(void)
{
	struct options options = options_of(1u << 20);

	write_image(128 * KIB);
	boot_refuses(&options, EXIT_STATUS_VOLE, "too small: --boot firmware",
		"too small: --boot firmware");
	options = options_of(RAM);
	options.has_load = true;
	boot_refuses(&options, EXIT_STATUS_VOLE, "takes no --load", "takes no --load");
	options = options_of(RAM);
	write_image(512 * KIB);
	boot_refuses(&options, EXIT_STATUS_KERNEL, "firmware of 524288 bytes",
		"firmware of 524288 bytes");
}

/* The image becomes shorter between being opened and being read. */
static void check_shorter(void)
{
	struct options options = options_of(RAM);
	struct memory memory = MEMORY_EMPTY;
	struct boot_machine machine = {.cpu_count = 1};
	struct boot *boot;

	write_image(128 * KIB);
	capture_begin();
	is(boot_open(&boot, &options), 0, "opened");
	if (truncate(path, 64 * KIB) < 0 ||
		memory_init(&memory, boot->regions, boot->region_count) < 0)
		exit(1);
	is(boot->protocol->load(boot, &memory, &machine), EXIT_STATUS_KERNEL,
		"an image that becomes shorter is not run");
	ok(strstr(capture_end(), "became shorter"), "and that is said");
	memory_free(&memory);
	boot_free(boot);
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	check_recognition();
	check_place(128 * KIB);
	check_place(256 * KIB);
	check_refusals();
	check_shorter();
	unlink(path);
	return tap_done();
}
