/* SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot/boot.h"
#include "layout.h"

#define PADDING_MAX (1u << 20)
#define DEVICES     3

/* --- the files that are named on the command line --------------------------------------------- */

/* A file without a name on disk; path is how others can open it. */
struct scratch {
	int fd;
	char path[32];
};

static struct scratch scratch_make(void)
{
	struct scratch scratch = {.fd = memfd_create("vole-fuzz", MFD_CLOEXEC)};

	assert(scratch.fd >= 0);
	snprintf(scratch.path, sizeof scratch.path, "/proc/self/fd/%d", scratch.fd);
	return scratch;
}

static void scratch_fill(const struct scratch *scratch, const uint8_t *data, size_t size,
	const struct image_trailer *t)
{
	uint32_t padding = t->padding % PADDING_MAX;
	bool is_front = t->flags & IMAGE_PAD_FRONT;

	assert(ftruncate(scratch->fd, 0) == 0);
	assert(ftruncate(scratch->fd, (off_t)(size + padding)) == 0);
	if (size > 0)
		assert(pwrite(scratch->fd, data, size, is_front ? (off_t)padding : 0) ==
			(ssize_t)size);
}

/* --- memory, of which nothing is there but what the image asked for --------------------------- */

static void check_regions(const struct boot *boot)
{
	uint64_t end = 0;

	assert(boot->region_count > 0 && boot->region_count <= MEMORY_REGIONS_MAX);
	/* The vole board has no page 0. */
	assert(boot->regions[0].base == 0 || boot->regions[0].base == PAGE_SIZE);
	for (unsigned i = 0; i < boot->region_count; i++) {
		const struct memory_region *region = &boot->regions[i];

		assert(region->base >= end && region->size > 0);
		assert(region->base % PAGE_SIZE == 0 && region->size % PAGE_SIZE == 0);
		end = (uint64_t)region->base + region->size;
		assert(end <= UINT64_C(1) << 32);
	}
}

/* As memory_init(), but a store to what lies between and behind the regions is a
 * SIGSEGV, or EFAULT. */
static void memory_make(struct memory *memory, const struct boot *boot)
{
	const struct memory_region *last = &boot->regions[boot->region_count - 1];
	uint8_t *host;

	memory->size = (uint64_t)last->base + last->size;
	host = mmap(NULL, memory->size + PAGE_SIZE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(host != MAP_FAILED);
	memory->host = host;
	memory->gmem = (struct gmem){.regions = memory->regions, .count = boot->region_count};
	for (unsigned i = 0; i < boot->region_count; i++) {
		const struct memory_region *region = &boot->regions[i];

		assert(mprotect(host + region->base, region->size, PROT_READ | PROT_WRITE) == 0);
		memory->regions[i] = (struct gmem_region){.base = region->base,
			.size = region->size,
			.host = host + region->base,
			.writable = !region->read_only};
	}
}

/* --- a run ------------------------------------------------------------------------------------ */

static void set_options(struct options *options, const char *boot, const struct scratch *image,
	const struct scratch *other, const struct image_trailer *t)
{
	*options = (struct options){
		.kernel = image->path,
		.boot = boot,
		.memory_size = t->memory ? t->memory * PAGE_SIZE : 64u << 20,
		.cpu_count = t->cpus % CPUS_MAX + 1,
		.verbose = t->flags & IMAGE_VERBOSE,
		.has_load = t->flags & IMAGE_LOAD,
		.load = t->flags & IMAGE_LOAD ? t->load : 0,
		.initrd = t->flags & IMAGE_INITRD ? other->path : NULL,
	};
	if (t->flags & IMAGE_MODULE)
		options->modules[options->module_count++] = other->path;
	memset(options->cmdline, 'x', t->cmdline % sizeof options->cmdline);
}

/* Symbols, of addresses inside and outside of the image. */
static void look_up(struct boot *boot, const struct image_trailer *t)
{
	uint64_t high = t->flags & IMAGE_HIGH ? 0xffffffff00000000 : 0;
	const uint64_t addresses[] = {t->address | high, boot->state.eip, UINT64_MAX};
	const char *name;
	uint32_t offset;

	for (unsigned i = 0; boot->protocol->symbol && i < 3; i++) {
		name = boot->protocol->symbol(boot, addresses[i], &offset);
		assert(!name || strlen(name) + offset < SIZE_MAX);
	}
}

static void load(struct boot *boot)
{
	static const struct boot_device devices[DEVICES] = {
		{"console stdio", DEVICE_BASE, FIRST_PIN},
		{"rng", DEVICE_BASE + PAGE_SIZE, FIRST_PIN + 1},
		{"block disk.img", DEVICE_BASE + 2 * PAGE_SIZE, FIRST_PIN + 2},
	};
	const struct boot_machine machine = {
		.cpu_count = boot->options->cpu_count,
		.tsc_khz = 2000000,
		.apic_timer_khz = 1000000,
		.device_count = DEVICES < boot->protocol->board.device_max
					? DEVICES
					: boot->protocol->board.device_max,
		.devices = devices,
	};
	FILE *nowhere = fopen("/dev/null", "w");
	struct memory memory;
	int ret;

	assert(nowhere);
	check_regions(boot);
	memory_make(&memory, boot);
	errno = 0;
	ret = boot->protocol->load(boot, &memory, &machine);
	/* What a file's bytes were to be read to was not there. */
	assert(errno != EFAULT);
	if (ret == 0 && boot->protocol->wants_reset)
		boot->protocol->wants_reset(&memory);
	boot->protocol->show(boot, nowhere, &machine);
	munmap(memory.host, memory.size + PAGE_SIZE);
	fclose(nowhere);
}

void image_run(const char *protocol, const uint8_t *data, size_t size)
{
	static struct scratch image, other;
	static struct options options;
	struct image_trailer t = {0};
	struct boot *boot;

	if (!image.fd) {
		static const uint8_t bytes[5000] = {1};

		image = scratch_make();
		other = scratch_make();
		scratch_fill(&other, bytes, sizeof bytes, &t);
	}
	if (size >= sizeof t) {
		size -= sizeof t;
		memcpy(&t, data + size, sizeof t);
	}
	scratch_fill(&image, data, size, &t);
	set_options(&options, protocol, &image, &other, &t);
	if (boot_open(&boot, &options) == 0) {
		load(boot);
		look_up(boot, &t);
	}
	boot_free(boot);
}
