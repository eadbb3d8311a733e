/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/multiboot_info.h"

#include <stddef.h>
#include <string.h>

#include "chips/vga_text.h"

#define SCREEN_BITS 16 /* of a character and its colours */
#define SCREEN_TYPE 2  /* text (MB1 3.3, framebuffer_type; MB2 3.6.12) */

/* --- writing ---------------------------------------------------------------------------------- */

/* Bytes are written one after the other. A writer without dst only counts them. */
struct writer {
	uint8_t *dst;  /* NULL: count */
	uint32_t base; /* guest-physical address of dst */
	uint64_t len;  /* bytes written */
};

/* Where the next byte goes. */
static uint32_t writer_address(const struct writer *writer)
{
	return (uint32_t)(writer->base + writer->len);
}

static void put(struct writer *writer, const void *bytes, size_t len)
{
	if (writer->dst && len > 0)
		memcpy(writer->dst + writer->len, bytes, len);
	writer->len += len;
}

static void put_string(struct writer *writer, const char *text)
{
	put(writer, text, strlen(text) + 1);
}

static void put_cmdline(struct writer *writer, const struct multiboot_content *content)
{
	put(writer, content->kernel, strlen(content->kernel));
	if (*content->arguments)
		put(writer, " ", 1);
	put_string(writer, content->arguments);
}

static void align(struct writer *writer, uint64_t alignment)
{
	writer->len = (writer->len + alignment - 1) / alignment * alignment;
}

static void put_section_headers(struct writer *writer, const struct multiboot_sections *sections)
{
	put(writer, sections->headers, (size_t)sections->count * sections->entry_size);
}

/* --- Multiboot 1 ------------------------------------------------------------------------------ */

/* MB1 3.3: flags, and the fields up to those of the framebuffer. */
enum {
	INFO_MEMORY = 1 << 0,
	INFO_CMDLINE = 1 << 2,
	INFO_MODULES = 1 << 3,
	INFO_ELF_SECTIONS = 1 << 5,
	INFO_MEMORY_MAP = 1 << 6,
	INFO_LOADER_NAME = 1 << 9,
	INFO_FRAMEBUFFER = 1 << 12,
};

struct info1 {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	struct {
		uint32_t num, size, addr, shndx;
	} elf;
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe_control_info, vbe_mode_info;
	uint16_t vbe_mode, vbe_interface_seg, vbe_interface_off, vbe_interface_len;
	uint64_t framebuffer_addr;
	uint32_t framebuffer_pitch, framebuffer_width, framebuffer_height;
	uint8_t framebuffer_bpp, framebuffer_type;
	uint8_t color_info[6];
} __attribute__((packed));

_Static_assert(offsetof(struct info1, elf) == 28, "MB1 3.3: syms");
_Static_assert(offsetof(struct info1, boot_loader_name) == 64, "MB1 3.3: boot_loader_name");
_Static_assert(offsetof(struct info1, framebuffer_addr) == 88, "MB1 3.3: framebuffer_addr");
_Static_assert(sizeof(struct info1) == 116, "MB1 3.3: color_info ends it");

struct memory1 {
	uint32_t size; /* of what follows */
	uint64_t base_addr, length;
	uint32_t type;
} __attribute__((packed));

struct module1 {
	uint32_t mod_start, mod_end, string, reserved;
};

static void put_memory_map1(
	struct writer *writer, struct info1 *info, const struct multiboot_content *content)
{
	info->mmap_addr = writer_address(writer);
	info->mmap_length = content->memory_count * (uint32_t)sizeof(struct memory1);
	for (unsigned i = 0; i < content->memory_count; i++) {
		const struct multiboot_memory *memory = &content->memory[i];
		const struct memory1 entry = {
			sizeof entry - sizeof entry.size, memory->base, memory->size, memory->type};

		put(writer, &entry, sizeof entry);
	}
}

static void put_modules1(
	struct writer *writer, struct info1 *info, const struct multiboot_content *content)
{
	uint32_t name;

	align(writer, 4);
	info->mods_count = content->module_count;
	info->mods_addr = writer_address(writer);
	name = info->mods_addr + content->module_count * (uint32_t)sizeof(struct module1);
	for (unsigned i = 0; i < content->module_count; i++) {
		const struct boot_module *module = &content->modules[i];
		const struct module1 entry = {module->base, module->base + module->size, name, 0};

		put(writer, &entry, sizeof entry);
		name += (uint32_t)strlen(module->path) + 1;
	}
	for (unsigned i = 0; i < content->module_count; i++)
		put_string(writer, content->modules[i].path);
}

static void put_sections1(
	struct writer *writer, struct info1 *info, const struct multiboot_sections *sections)
{
	if (sections->count == 0)
		return;
	align(writer, 8);
	info->flags |= INFO_ELF_SECTIONS;
	info->elf.num = sections->count;
	info->elf.size = sections->entry_size;
	info->elf.addr = writer_address(writer);
	info->elf.shndx = sections->names;
	put_section_headers(writer, sections);
}

static uint64_t write_info1(struct writer *writer, const struct multiboot_content *content)
{
	struct info1 info = {
		.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MEMORY_MAP |
			 INFO_LOADER_NAME | INFO_FRAMEBUFFER,
		.mem_lower = content->lower_kib,
		.mem_upper = content->upper_kib,
		.framebuffer_addr = VGA_TEXT_BASE,
		.framebuffer_pitch = VGA_TEXT_COLUMNS * SCREEN_BITS / 8,
		.framebuffer_width = VGA_TEXT_COLUMNS,
		.framebuffer_height = VGA_TEXT_ROWS,
		.framebuffer_bpp = SCREEN_BITS,
		.framebuffer_type = SCREEN_TYPE,
	};
	const uint8_t zeros[sizeof info] = {0};

	/* The structure comes first, and is known last. */
	put(writer, zeros, sizeof info);
	align(writer, 8);
	put_memory_map1(writer, &info, content);
	put_modules1(writer, &info, content);
	put_sections1(writer, &info, content->sections);
	info.cmdline = writer_address(writer);
	put_cmdline(writer, content);
	info.boot_loader_name = writer_address(writer);
	put_string(writer, MULTIBOOT_LOADER);
	if (writer->dst)
		memcpy(writer->dst, &info, sizeof info);
	return writer->len;
}

/* --- Multiboot 2 ------------------------------------------------------------------------------ */

/* Types of tags (MB2 3.6). */
enum {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_LOADER_NAME = 2,
	TAG_MODULE = 3,
	TAG_BASIC_MEMORY = 4,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_ELF_SECTIONS = 9,
	TAG_LOAD_BASE = 21,
};

struct memory2 {
	uint64_t base_addr, length;
	uint32_t type, reserved;
};

/* Begins a tag; end_tag() sets its size. Returns where it is. */
static uint64_t begin_tag(struct writer *writer, uint32_t type)
{
	const uint32_t header[2] = {type, 0};
	uint64_t at;

	align(writer, 8);
	at = writer->len;
	put(writer, header, sizeof header);
	return at;
}

static void end_tag(struct writer *writer, uint64_t at)
{
	const uint32_t size = (uint32_t)(writer->len - at);

	if (writer->dst)
		memcpy(writer->dst + at + 4, &size, sizeof size);
}

static void put_words(struct writer *writer, uint32_t type, const uint32_t *words, unsigned count)
{
	uint64_t tag = begin_tag(writer, type);

	put(writer, words, count * sizeof *words);
	end_tag(writer, tag);
}

static void put_memory_map2(struct writer *writer, const struct multiboot_content *content)
{
	const uint32_t entries[] = {sizeof(struct memory2), 0 /* entry_version */};
	uint64_t tag = begin_tag(writer, TAG_MEMORY_MAP);

	put(writer, entries, sizeof entries);
	for (unsigned i = 0; i < content->memory_count; i++) {
		const struct multiboot_memory *memory = &content->memory[i];
		const struct memory2 entry = {memory->base, memory->size, memory->type, 0};

		put(writer, &entry, sizeof entry);
	}
	end_tag(writer, tag);
}

static void put_modules2(struct writer *writer, const struct multiboot_content *content)
{
	for (unsigned i = 0; i < content->module_count; i++) {
		const struct boot_module *module = &content->modules[i];
		const uint32_t range[] = {module->base, module->base + module->size};
		uint64_t tag = begin_tag(writer, TAG_MODULE);

		put(writer, range, sizeof range);
		put_string(writer, module->path);
		end_tag(writer, tag);
	}
}

static void put_sections2(struct writer *writer, const struct multiboot_sections *sections)
{
	const uint32_t table[] = {sections->count, sections->entry_size, sections->names};
	uint64_t tag;

	if (sections->count == 0)
		return;
	tag = begin_tag(writer, TAG_ELF_SECTIONS);
	put(writer, table, sizeof table);
	put_section_headers(writer, sections);
	end_tag(writer, tag);
}

static void put_framebuffer(struct writer *writer)
{
	const uint32_t words[] = {VGA_TEXT_BASE, 0, VGA_TEXT_COLUMNS * SCREEN_BITS / 8,
		VGA_TEXT_COLUMNS, VGA_TEXT_ROWS, SCREEN_BITS | SCREEN_TYPE << 8};

	put_words(writer, TAG_FRAMEBUFFER, words, 6);
}

static uint64_t write_info2(struct writer *writer, const struct multiboot_content *content)
{
	const uint32_t memory[] = {content->lower_kib, content->upper_kib};
	uint32_t fixed[2] = {0}; /* total_size, reserved */
	uint64_t tag;

	put(writer, fixed, sizeof fixed);
	tag = begin_tag(writer, TAG_CMDLINE);
	put_cmdline(writer, content);
	end_tag(writer, tag);
	tag = begin_tag(writer, TAG_LOADER_NAME);
	put_string(writer, MULTIBOOT_LOADER);
	end_tag(writer, tag);
	put_modules2(writer, content);
	put_words(writer, TAG_BASIC_MEMORY, memory, 2);
	put_memory_map2(writer, content);
	put_framebuffer(writer);
	put_sections2(writer, content->sections);
	if (content->has_load_base)
		put_words(writer, TAG_LOAD_BASE, &content->load_base, 1);
	put_words(writer, TAG_END, NULL, 0);
	fixed[0] = (uint32_t)writer->len;
	if (writer->dst)
		memcpy(writer->dst, fixed, sizeof fixed);
	return writer->len;
}

uint64_t multiboot_info_write(
	unsigned version, const struct multiboot_content *content, uint8_t *dst, uint32_t base)
{
	struct writer writer = {.dst = dst, .base = base};

	return version == 1 ? write_info1(&writer, content) : write_info2(&writer, content);
}
