/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/refuse.h"

#include <stdbool.h>
#include <string.h>

/* The beginning of an image: len of its size bytes. */
struct image_head {
	const uint8_t *bytes;
	size_t len;
	uint64_t size;
};

static uint32_t word(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool has(const struct image_head *head, size_t offset, const void *bytes, size_t len)
{
	return offset <= head->len && len <= head->len - offset &&
	       memcmp(head->bytes + offset, bytes, len) == 0;
}

/* Magic 0407, 0410, 0413 or 0314 for an i386 (or, in the oldest, for nothing in particular), and
 * sizes of text and data that are in the file (a.out(5)). */
static bool is_aout(const struct image_head *head)
{
	static const uint16_t magics[] = {0407, 0410, 0413, 0314};
	uint32_t magic;
	bool is_magic = false;

	if (head->len < 32)
		return false;
	magic = word(head->bytes);
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		is_magic |= (magic & 0xffff) == magics[i];
	return is_magic && ((magic >> 16 & 0xff) == 0 || (magic >> 16 & 0xff) == 100) &&
	       word(head->bytes + 4) != 0 &&
	       (uint64_t)word(head->bytes + 4) + word(head->bytes + 8) <= head->size;
}

/* A DOS header that leads to a PE header (PE format, "MS-DOS stub"). */
static bool is_pe(const struct image_head *head)
{
	return has(head, 0, "MZ", 2) && head->len >= 64 &&
	       has(head, word(head->bytes + 60), "PE\0\0", 4);
}

/* What --checkpoint writes (spec/snapshot.md, section 2). */
static bool is_checkpoint(const struct image_head *head)
{
	return has(head, 0, "vole checkpoint\n", 16);
}

/* A file of --record begins so (spec/replay.md, section 2). */
static bool is_record(const struct image_head *head)
{
	return has(head, 0, "vole record\n\0\0\0", 16);
}

/* A firmware volume (UEFI PI 1.7, volume 3, 3.2.1). */
static bool is_efi_volume(const struct image_head *head)
{
	return has(head, 40, "_FVH", 4);
}

static bool is_gzip(const struct image_head *head)
{
	return has(head, 0, "\x1f\x8b\x08", 3);
}

static bool is_xz(const struct image_head *head)
{
	return has(head, 0,
		"\xfd"
		"7zXZ\0",
		6);
}

static bool is_zstd(const struct image_head *head)
{
	return has(head, 0, "\x28\xb5\x2f\xfd", 4);
}

static bool is_bzip2(const struct image_head *head)
{
	return has(head, 0, "BZh", 3) && head->len > 3 && head->bytes[3] >= '1' &&
	       head->bytes[3] <= '9';
}

/* Properties as lzma(1) sets them, a dictionary that is a power of two from 4 KiB on, and a size
 * that is unknown or below 256 GiB, as file(1) has it. */
static bool is_lzma(const struct image_head *head)
{
	uint32_t dictionary, size_high;

	if (!has(head, 0, "\x5d\0\0", 3) || head->len < 13)
		return false;
	dictionary = word(head->bytes + 1);
	size_high = word(head->bytes + 9);
	return dictionary >= 4096 && (dictionary & (dictionary - 1)) == 0 &&
	       (size_high == UINT32_MAX || size_high < 64);
}

/* A frame, or the older format, which Linux uses. */
static bool is_lz4(const struct image_head *head)
{
	return has(head, 0, "\x04\x22\x4d\x18", 4) || has(head, 0, "\x02\x21\x4c\x18", 4);
}

static bool is_zip(const struct image_head *head)
{
	return has(head, 0, "PK\x03\x04", 4);
}

static bool is_cpio(const struct image_head *head)
{
	return has(head, 0, "070701", 6) || has(head, 0, "070702", 6) ||
	       has(head, 0, "070707", 6) || has(head, 0, "\xc7\x71", 2);
}

/* For i386 or x86-64, with section headers that are in the file (PE format, "COFF file header"). */
static bool is_coff(const struct image_head *head)
{
	unsigned machine, sections, optional_len;

	if (head->len < 20)
		return false;
	machine = word(head->bytes) & 0xffff;
	sections = word(head->bytes) >> 16;
	optional_len = word(head->bytes + 16) & 0xffff;
	return (machine == 0x014c || machine == 0x8664) && sections > 0 && sections <= 96 &&
	       20u + optional_len + 40u * sections <= head->size;
}

/* Of 32 or 64 bits, or for several processors, of which there are few: Java's class files begin
 * with the same four bytes and a version. */
static bool is_mach_o(const struct image_head *head)
{
	static const char fat[] = "\xca\xfe\xba\xbe\0\0\0";

	return has(head, 0, "\xce\xfa\xed\xfe", 4) || has(head, 0, "\xcf\xfa\xed\xfe", 4) ||
	       (has(head, 0, fat, 7) && head->len > 7 && head->bytes[7] < 20);
}

static bool is_wasm(const struct image_head *head)
{
	return has(head, 0, "\0asm", 4);
}

static bool is_uimage(const struct image_head *head)
{
	return has(head, 0, "\x27\x05\x19\x56", 4);
}

static bool is_archive(const struct image_head *head)
{
	return has(head, 0, "!<arch>\n", 8);
}

/* Code on an adapter, for a BIOS to find. */
static bool is_option_rom(const struct image_head *head)
{
	return has(head, 0, "\x55\xaa", 2);
}

/* A PC's BIOS looks for these two bytes. Last of all: others begin with such a sector as well. */
static bool is_boot_sector(const struct image_head *head)
{
	return has(head, 510, "\x55\xaa", 2);
}

static const struct {
	bool (*is)(const struct image_head *head);
	struct refusal refusal;
} known[] = {
	{is_checkpoint, {"a checkpoint", "vole clone goes on from it"}},
	{is_record, {"a record", "vole replay repeats it"}},
	{is_aout, {"an a.out executable", "link it as 32-bit ELF"}},
	{is_pe, {"an EFI executable", "vole has no EFI"}},
	{is_efi_volume, {"EFI firmware", "--boot firmware takes BIOS images"}},
	{is_gzip, {"compressed with gzip", "unpack it first"}},
	{is_xz, {"compressed with xz", "unpack it first"}},
	{is_zstd, {"compressed with zstd", "unpack it first"}},
	{is_bzip2, {"compressed with bzip2", "unpack it first"}},
	{is_lz4, {"compressed with lz4", "unpack it first"}},
	{is_zip, {"a ZIP archive", "unpack it first"}},
	{is_cpio, {"a cpio archive", "--initrd hands it to Linux, --module to other kernels"}},
	{is_coff, {"a COFF object", "link it as 32-bit ELF"}},
	{is_mach_o, {"a Mach-O file", "link it as 32-bit ELF"}},
	{is_wasm, {"a WebAssembly module", "vole runs x86 code"}},
	{is_uimage, {"a U-Boot image", "take the kernel that is in it"}},
	{is_archive, {"an archive of object files", "link it as 32-bit ELF"}},
	{is_lzma, {"compressed with lzma", "unpack it first"}},
	{is_option_rom, {"an option ROM", "--boot firmware takes BIOS images"}},
	{is_boot_sector,
		{"a disk image or boot sector", "--disk attaches it to a kernel; --boot flat "
						"--load 0x7c00 runs its first sector"}},
};

const struct refusal *refusal_find(const uint8_t *head, uint64_t size)
{
	struct image_head image = {
		.bytes = head,
		.len = size < REFUSAL_HEAD ? (size_t)size : REFUSAL_HEAD,
		.size = size,
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].is(&image))
			return &known[i].refusal;
	return NULL;
}

bool refusal_may_be_multiboot(const struct refusal *refusal)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (refusal == &known[i].refusal)
			return known[i].is == is_aout;
	return false;
}
