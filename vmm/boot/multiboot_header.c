/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/multiboot_header.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log.h"

static uint32_t word(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* --- finding it ------------------------------------------------------------------------------- */

#define MAGIC1 0x1badb002u /* MB1 3.1.2 */
#define MAGIC2 0xe85250d6u /* MB2 3.1.2 */

/* Flags of Multiboot 1 (MB1 3.1.2). Aligned modules and memory information are always there. */
#define FLAG_VIDEO     0x00000004
#define FLAG_ADDRESSES 0x00010000
#define FLAGS_REQUIRED 0x0000ffff /* a loader that does not know one of these must refuse */
#define FLAGS_KNOWN    0x00000007

#define ARCHITECTURE_I386 0 /* MB2 3.1.2 */

/* Whether the first count words of a header add up to 0, as its checksum makes them. */
static bool is_sum_zero(const uint8_t *header, unsigned count)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += word(header + 4 * i);
	return sum == 0;
}

/* How a header of each version is found. */
struct form {
	unsigned version;
	uint8_t magic[4];
	size_t rare;    /* index of the byte that is looked for first */
	unsigned count; /* words that add up to 0 */
	size_t align, head;
};

static const struct form forms[] = {
	{1, {MAGIC1 & 0xff, MAGIC1 >> 8 & 0xff, MAGIC1 >> 16 & 0xff, MAGIC1 >> 24}, 2, 3, 4,
		MULTIBOOT1_HEAD},
	{2, {MAGIC2 & 0xff, MAGIC2 >> 8 & 0xff, MAGIC2 >> 16 & 0xff, MAGIC2 >> 24}, 0, 4, 8,
		MULTIBOOT2_HEAD},
};

/* The next place from at on where head has the magic number and room for the words behind it, or
 * len. It looks for one byte first, which code seldom has, since every start of an ELF kernel pays
 * for the search. */
static size_t next_magic(const struct form *form, const uint8_t *head, size_t len, size_t at)
{
	const size_t room = 4 * form->count, rare = form->rare;
	const uint8_t *found;

	while (len >= room && at <= len - room) {
		found = memchr(head + at + rare, form->magic[rare], len - room - at + 1);
		if (!found)
			break;
		at = (size_t)(found - head) - rare;
		if (memcmp(head + at, form->magic, sizeof form->magic) == 0)
			return at;
		at++;
	}
	return len;
}

static bool find(
	struct multiboot_header *header, const struct form *form, const uint8_t *head, size_t len)
{
	if (len > form->head)
		len = form->head;
	for (size_t at = 0; (at = next_magic(form, head, len, at)) < len; at++) {
		if (at % form->align != 0 || !is_sum_zero(head + at, form->count))
			continue;
		header->version = form->version;
		header->offset = (uint32_t)at;
		return true;
	}
	return false;
}

bool multiboot_find(struct multiboot_header *header, const uint8_t *head, size_t len)
{
	*header = (struct multiboot_header){.version = 0};
	return find(header, &forms[0], head, len) || find(header, &forms[1], head, len);
}

/* Whether the words behind a magic number look like a header's: flags that exist, or an
 * architecture and a length. Boot loaders have the number in their code. */
static bool is_plausible(const struct form *form, const uint8_t *header)
{
	if (form->version == 1)
		return (word(header + 4) & ~(FLAGS_KNOWN | FLAG_ADDRESSES)) == 0;
	return word(header + 4) == ARCHITECTURE_I386 && word(header + 8) <= MULTIBOOT2_HEAD;
}

/* What is wrong with this place of a header, NULL if nothing is. */
static const char *mistake_at(const struct form *form, const uint8_t *head, size_t at)
{
	if (!is_plausible(form, head + at))
		return NULL;
	if (!is_sum_zero(head + at, form->count))
		return form->version == 1 ? "magic, flags and checksum do not add up to 0"
					  : "magic, architecture, header_length and checksum do "
					    "not add up to 0";
	if (at % form->align != 0)
		return form->version == 1 ? "it is not aligned to 4 bytes"
					  : "it is not aligned to 8 bytes";
	if (at + 4 * form->count > form->head)
		return "it is not in the first 8192 bytes: its section goes first in the linker "
		       "script";
	return NULL;
}

const char *multiboot_find_mistake(struct multiboot_header *header, const uint8_t *head, size_t len)
{
	*header = (struct multiboot_header){.version = 0};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		size_t at = next_magic(&forms[i], head, len, 0);

		if (at == len)
			continue;
		header->version = forms[i].version;
		header->offset = (uint32_t)at;
		return mistake_at(&forms[i], head, at);
	}
	return NULL;
}

/* --- Multiboot 1 ------------------------------------------------------------------------------ */

#define MODE_TEXT 1 /* mode_type, MB1 3.1.4 */

static int refuse_graphics(const char *path)
{
	say("%s: the Multiboot header requires a graphics mode; vole has text mode only, 80 x 25",
		path);
	return -ENOEXEC;
}

static int refuse_truncated(const char *path, const struct multiboot_header *header)
{
	say("%s: the Multiboot %u header at offset 0x%x is cut off", path, header->version,
		header->offset);
	return -ENOEXEC;
}

static int read_header1(
	struct multiboot_header *header, const uint8_t *bytes, size_t len, const char *path)
{
	uint32_t flags = word(bytes + 4), unknown = flags & FLAGS_REQUIRED & ~FLAGS_KNOWN;
	size_t needed = flags & FLAG_VIDEO ? 48 : flags & FLAG_ADDRESSES ? 32 : 12;

	if (unknown) {
		say("%s: the Multiboot header requires what vole does not have: flags 0x%x", path,
			unknown);
		return -ENOEXEC;
	}
	if (len < needed)
		return refuse_truncated(path, header);
	if (flags & FLAG_VIDEO && word(bytes + 32) != MODE_TEXT)
		return refuse_graphics(path);
	if (flags & FLAG_ADDRESSES) {
		header->has_addresses = true;
		header->header_addr = word(bytes + 12);
		header->load_addr = word(bytes + 16);
		header->load_end = word(bytes + 20);
		header->bss_end = word(bytes + 24);
		header->has_entry = true;
		header->entry = word(bytes + 28);
	}
	return 0;
}

/* --- Multiboot 2 ------------------------------------------------------------------------------ */

/* Tags of a header (MB2 3.1.3). */
enum {
	TAG_END = 0,
	TAG_INFORMATION_REQUEST = 1,
	TAG_ADDRESS = 2,
	TAG_ENTRY_ADDRESS = 3,
	TAG_CONSOLE_FLAGS = 4,
	TAG_FRAMEBUFFER = 5,
	TAG_MODULE_ALIGNMENT = 6,
	TAG_EFI_BOOT_SERVICES = 7,
	TAG_EFI_I386_ENTRY = 8,
	TAG_EFI_AMD64_ENTRY = 9,
	TAG_RELOCATABLE = 10,
};

#define TAG_OPTIONAL 1 /* of a tag's flags */
#define TAG_LEN      8 /* type, flags and size */

#define HEADER_LEN 16 /* magic number, architecture, header length, checksum */

/* The largest type of boot information that MB2 3.6 knows. What a machine does not have, such as
 * ACPI, need not be told; what a loader has never heard of it must refuse. */
#define INFORMATION_MAX 21

/* A tag, which lies in the header as a whole. */
struct tag {
	unsigned type;
	bool is_optional;
	uint32_t len;         /* bytes, with the first TAG_LEN */
	const uint8_t *bytes; /* len of them */
};

static int check_requests(const struct tag *tag, const char *path)
{
	for (uint32_t at = TAG_LEN; tag->len - at >= 4; at += 4) {
		uint32_t type = word(tag->bytes + at);

		if (type <= INFORMATION_MAX || tag->is_optional)
			continue;
		say("%s: the Multiboot 2 header requires boot information of type %u, which vole "
		    "does not have",
			path, type);
		return -ENOEXEC;
	}
	return 0;
}

/* A load_addr of all ones loads the file from its beginning (MB2 3.1.5). */
static void read_address_tag(struct multiboot_header *header, const struct tag *tag)
{
	header->has_addresses = true;
	header->header_addr = word(tag->bytes + 8);
	header->load_addr = word(tag->bytes + 12);
	header->load_end = word(tag->bytes + 16);
	header->bss_end = word(tag->bytes + 20);
	if (header->load_addr == UINT32_MAX)
		header->load_addr = header->header_addr - header->offset;
}

static int read_relocatable_tag(
	struct multiboot_header *header, const struct tag *tag, const char *path)
{
	header->is_relocatable = true;
	header->base_min = word(tag->bytes + 8);
	header->base_max = word(tag->bytes + 12);
	header->base_align = word(tag->bytes + 16);
	if (header->base_align != 0 && (header->base_align & (header->base_align - 1)) == 0)
		return 0;
	say("%s: the relocatable header tag's alignment 0x%x is not a power of two", path,
		header->base_align);
	return -ENOEXEC;
}

/* Bytes that a tag of this type has at least. */
static uint32_t tag_len_min(unsigned type)
{
	switch (type) {
	case TAG_ADDRESS:
	case TAG_RELOCATABLE:
		return 24;
	case TAG_ENTRY_ADDRESS:
	case TAG_CONSOLE_FLAGS:
		return 12;
	case TAG_FRAMEBUFFER:
		return 20;
	default:
		return TAG_LEN;
	}
}

/* 0 or -ENOEXEC (said). */
static int read_tag(struct multiboot_header *header, const struct tag *tag, const char *path)
{
	if (tag->len < tag_len_min(tag->type)) {
		say("%s: a tag of type %u in the Multiboot 2 header has %u bytes, not %u", path,
			tag->type, tag->len, tag_len_min(tag->type));
		return -ENOEXEC;
	}
	switch (tag->type) {
	case TAG_INFORMATION_REQUEST:
		return check_requests(tag, path);
	case TAG_ADDRESS:
		read_address_tag(header, tag);
		return 0;
	case TAG_ENTRY_ADDRESS:
		header->has_entry = true;
		header->entry = word(tag->bytes + 8);
		return 0;
	case TAG_FRAMEBUFFER:
		/* A depth of 0 asks for text or has no preference (MB2 3.1.10). */
		if (!tag->is_optional && word(tag->bytes + 16) != 0)
			return refuse_graphics(path);
		return 0;
	case TAG_RELOCATABLE:
		return read_relocatable_tag(header, tag, path);
	case TAG_CONSOLE_FLAGS:     /* there is a console, in text mode */
	case TAG_MODULE_ALIGNMENT:  /* modules are always aligned */
	case TAG_EFI_BOOT_SERVICES: /* these three are for machines with EFI */
	case TAG_EFI_I386_ENTRY:
	case TAG_EFI_AMD64_ENTRY:
		return 0;
	}
	if (tag->is_optional)
		return 0;
	say("%s: the Multiboot 2 header requires what vole does not have: a tag of type %u", path,
		tag->type);
	return -ENOEXEC;
}

/* Reads the tags, which are aligned to 8 bytes, up to the one that ends them. */
static int read_tags(
	struct multiboot_header *header, const uint8_t *bytes, uint32_t len, const char *path)
{
	uint32_t at = HEADER_LEN;

	while (at <= len && len - at >= TAG_LEN) {
		const struct tag tag = {
			.type = bytes[at] | bytes[at + 1] << 8,
			.is_optional = bytes[at + 2] & TAG_OPTIONAL,
			.len = word(bytes + at + 4),
			.bytes = bytes + at,
		};

		if (tag.type == TAG_END)
			return 0;
		if (tag.len < TAG_LEN || tag.len > len - at) {
			say("%s: the Multiboot 2 header has a tag of type %u and %u bytes in %u",
				path, tag.type, tag.len, len - at);
			return -ENOEXEC;
		}
		if (read_tag(header, &tag, path) < 0)
			return -ENOEXEC;
		at += (tag.len + 7) / 8 * 8;
	}
	say("%s: the Multiboot 2 header has no tag that ends it (type 0, 8 bytes)", path);
	return -ENOEXEC;
}

static int read_header2(
	struct multiboot_header *header, const uint8_t *bytes, size_t len, const char *path)
{
	uint32_t architecture = word(bytes + 4), header_len = word(bytes + 8);
	int ret;

	if (architecture != ARCHITECTURE_I386) {
		say("%s: the Multiboot 2 header is for architecture %u, not 0 (i386)", path,
			architecture);
		return -ENOEXEC;
	}
	if (header_len > len)
		return refuse_truncated(path, header);
	ret = read_tags(header, bytes, header_len, path);
	if (ret == 0 && header->has_addresses && !header->has_entry) {
		say("%s: the Multiboot 2 header has an address tag and no entry address tag", path);
		ret = -ENOEXEC;
	}
	return ret;
}

/* --- both ------------------------------------------------------------------------------------- */

int multiboot_read(
	struct multiboot_header *header, const uint8_t *head, size_t len, const char *path)
{
	size_t max = header->version == 1 ? MULTIBOOT1_HEAD : MULTIBOOT2_HEAD;

	len = (len < max ? len : max) - header->offset;
	return header->version == 1 ? read_header1(header, head + header->offset, len, path)
				    : read_header2(header, head + header->offset, len, path);
}

int multiboot_segment(const struct multiboot_header *header, uint64_t file_size, const char *path,
	struct image_segment *segment)
{
	uint32_t load_addr = header->load_addr, before = header->header_addr - load_addr;
	uint64_t offset = (uint64_t)header->offset - before, left = file_size - offset;
	uint64_t load_end = header->load_end ? header->load_end : load_addr + left;
	uint64_t end = header->bss_end ? header->bss_end : load_end;

	if (header->header_addr < load_addr || before > header->offset)
		say("%s: load_addr 0x%x and header_addr 0x%x begin before the file, whose "
		    "Multiboot header is at offset 0x%x",
			path, load_addr, header->header_addr, header->offset);
	else if (load_end <= load_addr || end < load_end)
		say("%s: the Multiboot header's addresses do not ascend: load_addr 0x%x, "
		    "load_end_addr 0x%" PRIx64 ", bss_end_addr 0x%" PRIx64,
			path, load_addr, load_end, end);
	else if (load_end - load_addr > left)
		say("%s: truncated: load_end_addr 0x%" PRIx64 " is at offset 0x%" PRIx64
		    ", the file ends at 0x%" PRIx64,
			path, load_end, offset + (load_end - load_addr), file_size);
	else if (end > UINT32_MAX)
		say("%s: 0x%" PRIx64 " bytes at 0x%x reach over 4 GiB", path, left, load_addr);
	else if (header->entry < load_addr || header->entry >= end)
		say("%s: the entry address 0x%x is not in the image, 0x%x to 0x%" PRIx64, path,
			header->entry, load_addr, end - 1);
	else {
		*segment = (struct image_segment){
			.paddr = load_addr,
			.vaddr = load_addr,
			.memory_size = (uint32_t)(end - load_addr),
			.file_size = (uint32_t)(load_end - load_addr),
			.offset = offset,
			.writable = true,
			.executable = true,
		};
		return 0;
	}
	return -ENOEXEC;
}
