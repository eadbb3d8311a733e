/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/boot/boot_data.c: the memory map, and what has no place in it. */
#include "boot/boot_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../capture.h"
#include "../elf_make.h"
#include "../tap.h"

#define MIB 0x100000u

static struct image_segment segment(uint32_t paddr, uint32_t size, bool writable)
{
	return (struct image_segment){
		.paddr = paddr,
		.vaddr = paddr,
		.memory_size = size,
		.writable = writable,
		.executable = !writable,
	};
}

static void expect_entry(const struct memory_map *map, unsigned index,
	struct memory_map_entry expected, const char *name)
{
	const struct memory_map_entry *got = &map->entries[index];

	if (!ok(index < map->count && memcmp(got, &expected, sizeof expected) == 0, "entry %u: %s",
		    index, name))
		printf("# base 0x%x size 0x%x flags %u use %u\n", got->base, got->size, got->flags,
			got->use);
}

static void test_map(void)
{
	struct image image = {.path = "k", .segment_count = 3};
	struct boot_module modules[] = {{"a", 1, 0}, {"b", 8192, 0}};
	struct memory_map map;

	image.segments[0] = segment(0x100000, 0x1800, false);
	image.segments[1] = segment(0x101800, 0x100, false);
	image.segments[2] = segment(0x103ff0, 0x20, true);
	is(memory_map_build(&map, 16 * MIB, &image, modules, 2), 0, "a map is built");
	is(map.count, 8, "it has 8 entries");
	expect_entry(&map, 0, (struct memory_map_entry){0x1000, 0x3000, 1, 1},
		"RAM begins with boot data, which is the kernel's, read-only");
	expect_entry(&map, 1, (struct memory_map_entry){0x4000, 0x4000, 0, 1},
		"the first stack can be written");
	expect_entry(&map, 2, (struct memory_map_entry){0x8000, 0xf8000, 0, 0},
		"free between boot data and kernel");
	expect_entry(&map, 3, (struct memory_map_entry){0x100000, 0x2000, 1, 1},
		"two segments without PF_W on the same pages are one read-only entry");
	expect_entry(&map, 4, (struct memory_map_entry){0x102000, 0x1000, 0, 0},
		"a page between segments is free");
	expect_entry(&map, 5, (struct memory_map_entry){0x103000, 0x2000, 0, 1},
		"a writable segment, rounded out to pages");
	expect_entry(&map, 6, (struct memory_map_entry){0x105000, 0xef8000, 0, 0},
		"free up to the modules");
	expect_entry(&map, 7, (struct memory_map_entry){0xffd000, 0x3000, 0, 2},
		"modules at the end of RAM, in one entry");
	is(modules[0].base, 0xfff000, "the first module is the highest");
	is(modules[1].base, 0xffd000, "the second one is below it");
}

static void test_shared_page(void)
{
	struct image image = {.path = "k", .segment_count = 2};
	struct memory_map map;

	image.segments[0] = segment(0x100000, 0x1100, false);
	image.segments[1] = segment(0x101100, 0x100, true);
	is(memory_map_build(&map, 2 * MIB, &image, NULL, 0), 0, "segments may share a page");
	expect_entry(&map, 3, (struct memory_map_entry){0x100000, 0x1000, 1, 1},
		"the page before is read-only");
	expect_entry(&map, 4, (struct memory_map_entry){0x101000, 0x1000, 0, 1},
		"a page that a writable segment touches is writable");
}

/* Modules go around a kernel that is linked near the end of RAM. */
static void test_modules_around_kernel(void)
{
	struct image image = {.path = "k", .segment_count = 2};
	struct boot_module modules[] = {{"big", 0x3001, 0}, {"fits", 0x2000, 0}};
	struct memory_map map;

	image.segments[0] = segment(0x80800, 0x100, false);
	image.segments[1] = segment(0xfc000, 0x1000, true);
	is(memory_map_build(&map, MIB, &image, modules, 2), 0, "modules go around the kernel");
	is(modules[0].base, 0xf8000, "below a segment where what is above is too small");
	is(modules[1].base, 0xf6000, "the next one below that");
	modules[0].size = 0x3000;
	is(memory_map_build(&map, MIB, &image, modules, 2), 0, "modules go around the kernel");
	is(modules[0].base, 0xfd000, "above the segment where it just fits");
	is(modules[1].base, 0xfa000, "the next one below the segment");
}

static void expect_refusal(uint32_t ram_size, const struct image *image,
	struct boot_module *modules, unsigned count, int error, const char *words)
{
	struct memory_map map;
	const char *said;
	int err;

	capture_begin();
	err = memory_map_build(&map, ram_size, image, modules, count);
	said = capture_end();
	is(-err, error, "is refused: %s", words);
	if (!ok(strstr(said, words) && capture_lines(said) == 1, "... in these words"))
		printf("# %s", said);
}

static void test_refusals(void)
{
	struct image image = {.path = "k", .segment_count = 1};
	struct boot_module module = {"initrd", MIB - 0x8000 - 0x1000 + 1, 0};
	struct boot_module huge[] = {{"a", 0xffffffff, 0}, {"b", 0x1000, 0}};
	struct memory_map map;

	image.segments[0] = segment(0x8000, 0x1000, true);
	expect_refusal(0, &image, NULL, 0, EINVAL, "memory size is 0");
	expect_refusal(
		MIB + 1, &image, NULL, 0, EINVAL, "memory size 1048577 is not a multiple of 4096");
	expect_refusal(RAM_MAX + PAGE_SIZE, &image, NULL, 0, EINVAL, "is over 3221225472 (3 GiB)");
	expect_refusal(VOLE_BOOT_DATA_END, &image, NULL, 0, EINVAL,
		"memory size 32768 is too small: the boot data alone takes 32768 bytes");
	expect_refusal(MIB, &image, &module, 1, ENOSPC,
		"initrd: module of 1011713 bytes does not fit into RAM; --memory 2M is enough");
	expect_refusal(MIB, &image, huge, 2, ENOSPC, "a: module of 4294967295 bytes does not fit");

	module.size--;
	is(memory_map_build(&map, MIB, &image, &module, 1), 0, "a module that just fits");
	is(module.base, 0x9000, "... fills what the kernel leaves");
	is(map.count, 3, "... so that nothing is free");
	is(memory_map_build(&map, 0x9000, &image, NULL, 0), 0, "RAM that the kernel just fits in");
	is(map.count, 2, "... boot data read-only, stack and kernel writable, nothing else");
	image.segments[0] = segment(MIB - 0x1000, 0x1000, true);
	is(memory_map_build(&map, MIB, &image, &module, 1), 0, "a module that just fits, below");
	is(module.base, 0x8000, "... fills all between boot data and kernel");
	image.segments[0] = segment(RAM_MAX - 1, 1, true);
	is(memory_map_build(&map, RAM_MAX, &image, NULL, 0), 0, "a segment at the end of 3 GiB");
}

/* These refusals need an image that is open; their words are with the image's kind. */
static void test_placements(void)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (const struct elf_kind *kind = elf_kinds; kind->name; kind++) {
		struct elf_file file;
		struct image image;
		struct memory_map map;

		if (kind->outcome == ELF_BAD_IMAGE)
			continue;
		elf_make(&file, kind);
		is(pwrite(fd, &file, file.len, 0), file.len, "%s: written", kind->name);
		is(image_open(&image, path), 0, "%s: opens", kind->name);
		if (kind->outcome == ELF_LOADS)
			is(memory_map_build(&map, 64 * MIB, &image, NULL, 0), 0, "%s: is placed",
				kind->name);
		else
			expect_refusal(64 * MIB, &image, NULL, 0, ENOEXEC, kind->refusal);
		image_free(&image);
	}
	close(fd);
}

/* --- any kernel's memory map ------------------------------------------------------------------ */

#define PAGES 256u

/* The use that a page of RAM should have, found page by page. */
struct page {
	uint32_t use;
	bool writable;
};

/* xorshift64: the same sequence every time. */
static uint32_t next_random(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16) % below;
}

/* Sorted segments that do not overlap; often several on a page, often touching. */
static void random_image(struct image *image, uint64_t *state, uint32_t ram_size)
{
	uint32_t at = VOLE_BOOT_DATA_END + next_random(state, 3) * next_random(state, 0x8000);
	unsigned count = 1 + next_random(state, IMAGE_SEGMENTS_MAX);

	image->segment_count = 0;
	while (image->segment_count < count) {
		uint32_t size = 1 + next_random(state, next_random(state, 2) ? 0x200 : 0x4000);

		if (at >= ram_size || size > ram_size - at)
			return;
		image->segments[image->segment_count++] = segment(at, size, next_random(state, 2));
		at += size + next_random(state, 2) * next_random(state, 0x3000);
	}
}

static void paint(struct page *pages, uint32_t base, uint32_t size, uint32_t use, bool writable)
{
	for (uint32_t page = base / PAGE_SIZE; page <= (base + size - 1) / PAGE_SIZE; page++) {
		pages[page].use = use;
		pages[page].writable |= writable;
	}
}

/* Whether the map says of every page what it should, and nothing twice. */
static bool map_is_right(const struct memory_map *map, const struct page *pages, uint32_t ram_size)
{
	uint32_t at = BOOT_DATA;

	for (unsigned i = 0; i < map->count; i++) {
		const struct memory_map_entry *e = &map->entries[i];

		if (e->base != at || e->size == 0 || e->size % PAGE_SIZE != 0)
			return false;
		if (i > 0 && e[-1].flags == e->flags && e[-1].use == e->use)
			return false;
		for (; at < e->base + e->size; at += PAGE_SIZE) {
			const struct page *page = &pages[at / PAGE_SIZE];
			bool read_only = page->use != VOLE_MEMORY_FREE && !page->writable;

			if (at >= ram_size || e->use != page->use)
				return false;
			if (e->flags != (read_only ? VOLE_MEMORY_READ_ONLY : 0))
				return false;
		}
	}
	return at == ram_size;
}

/* Whether the modules would fit below the lowest segment, which is one of the ways to place them.
 */
static bool surely_fit(const struct image *image, uint32_t ram_size,
	const struct boot_module *modules, unsigned count)
{
	uint32_t at =
		image->segment_count ? image->segments[0].paddr / PAGE_SIZE * PAGE_SIZE : ram_size;

	for (unsigned i = 0; i < count; i++) {
		if (at < VOLE_BOOT_DATA_END + modules[i].size)
			return false;
		at = (at - modules[i].size) / PAGE_SIZE * PAGE_SIZE;
	}
	return true;
}

/* Whether a map is as it should be, or its refusal is for modules that really do not fit. */
static bool random_map_is_right(uint64_t *state, unsigned *built)
{
	uint32_t ram_size = (9 + next_random(state, PAGES - 8)) * PAGE_SIZE;
	unsigned module_count = next_random(state, MODULES_MAX + 1);
	struct boot_module modules[MODULES_MAX];
	struct page pages[PAGES] = {{0}};
	struct image image = {.path = "k"};
	struct memory_map map;
	int err;

	random_image(&image, state, ram_size);
	for (unsigned i = 0; i < module_count; i++)
		modules[i] = (struct boot_module){"m", 1 + next_random(state, 0x8000), 0};
	capture_begin();
	err = memory_map_build(&map, ram_size, &image, modules, module_count);
	capture_end();

	paint(pages, BOOT_DATA, BOOT_STACK - BOOT_DATA, VOLE_MEMORY_KERNEL, false);
	paint(pages, BOOT_STACK, BOOT_STACK_TOP - BOOT_STACK, VOLE_MEMORY_KERNEL, true);
	for (unsigned i = 0; i < image.segment_count; i++)
		paint(pages, image.segments[i].paddr, image.segments[i].memory_size,
			VOLE_MEMORY_KERNEL, image.segments[i].writable);
	if (err)
		return err == -ENOSPC && !surely_fit(&image, ram_size, modules, module_count);
	(*built)++;
	for (unsigned i = 0; i < module_count; i++) {
		for (uint32_t page = 0; page <= (modules[i].size - 1) / PAGE_SIZE; page++)
			if (pages[modules[i].base / PAGE_SIZE + page].use != VOLE_MEMORY_FREE)
				return false;
		paint(pages, modules[i].base, modules[i].size, VOLE_MEMORY_INIT, true);
	}
	return map_is_right(&map, pages, ram_size);
}

static void test_random_maps(void)
{
	uint64_t state = 0x766f6c65;
	unsigned wrong = 0, built = 0;

	for (unsigned round = 0; round < 20000; round++)
		wrong += !random_map_is_right(&state, &built);
	is(wrong, 0,
		"20000 random kernels: the map covers RAM exactly once, sorted, in pages, and says "
		"use and flags of each; modules lie on free pages");
	ok(built > 5000 && built < 19000, "... %u of them fit into their RAM", built);
}

int main(void)
{
	test_map();
	test_shared_page();
	test_modules_around_kernel();
	test_refusals();
	test_placements();
	test_random_maps();
	return tap_done();
}
