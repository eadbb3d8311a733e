/* SPDX-License-Identifier: BSD-2-Clause */
/* Images that are known and not supported; tests/boot-firmware.t has one of each kind.
 * Here: their edges. */
#include "boot/refuse.h"

#include <stdlib.h>
#include <string.h>

#include "../tap.h"

/* An image of this size, exactly as much as refusal_find() may look at. */
static uint8_t *image(size_t size)
{
	uint8_t *head = malloc(size ? size : 1);

	if (!head)
		exit(1);
	memset(head, 0x11, size);
	return head;
}

static void put(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static const char *find(const uint8_t *head, uint64_t size)
{
	const struct refusal *refusal = refusal_find(head, size);

	return refusal ? refusal->what : "";
}

static void check_aout(void)
{
	uint8_t *head = image(64);

	put(head, 0407);
	put(head + 4, 32);
	put(head + 8, 32);
	ok(strstr(find(head, 64), "a.out"), "a.out: text and data are in the file");
	ok(refusal_may_be_multiboot(refusal_find(head, 64)), "a.out: Multiboot may load it");
	put(head + 8, 33);
	is(strlen(find(head, 64)), 0, "a.out: not if they are more than the file");
	put(head + 8, 0xffffffff);
	is(strlen(find(head, 64)), 0, "a.out: not if their sum wraps");
	put(head + 8, 0);
	put(head, 0407 | 3 << 16);
	is(strlen(find(head, 64)), 0, "a.out: not for other processors");
	free(head);
}

static void check_coff(void)
{
	uint8_t *head = image(60);

	memset(head, 0, 60);
	put(head, 0x014c | 1 << 16);
	ok(strstr(find(head, 60), "COFF"), "COFF: one section, whose header the file ends with");
	put(head, 0x014c | 2 << 16);
	is(strlen(find(head, 60)), 0, "COFF: not if a header is cut off");
	put(head, 0x014c);
	is(strlen(find(head, 60)), 0, "COFF: not without sections");
	put(head, 0x0162 | 1 << 16);
	is(strlen(find(head, 60)), 0, "COFF: not for other processors");
	put(head, 0x014c | 1 << 16);
	put(head + 16, 1);
	is(strlen(find(head, 60)), 0, "COFF: not if the optional header is in the way");
	free(head);
}

static void check_lzma(void)
{
	uint8_t *head = image(13);

	memset(head, 0xff, 13);
	head[0] = 0x5d;
	put(head + 1, 1 << 16);
	ok(strstr(find(head, 13), "lzma"), "lzma: of unknown size");
	put(head + 5, 0);
	put(head + 9, 63);
	ok(strstr(find(head, 13), "lzma"), "lzma: below 256 GiB");
	put(head + 9, 64);
	is(strlen(find(head, 13)), 0, "lzma: not of 256 GiB");
	put(head + 9, 0);
	put(head + 1, 3 << 16);
	is(strlen(find(head, 13)), 0, "lzma: not with a dictionary of 192 KiB");
	free(head);
}

static void check_pe(void)
{
	uint8_t *head = image(68);

	memcpy(head, "MZ", 2);
	put(head + 60, 64);
	memcpy(head + 64, "PE\0", 4);
	ok(strstr(find(head, 68), "EFI"), "PE: the header's last byte is the file's");
	ok(!refusal_may_be_multiboot(refusal_find(head, 68)), "PE: Multiboot may not load it");
	put(head + 60, 65);
	is(strlen(find(head, 68)), 0, "PE: a header that is cut off");
	put(head + 60, 0xfffffffc);
	is(strlen(find(head, 68)), 0, "PE: a header far beyond");
	free(head);
}

/* Heads of every length: the sanitizers see what is looked at. */
static void check_lengths(void)
{
	static const char *const starts[] = {"\x1f\x8b\x08", "MZ", "!<arch>\n", "\x28\xb5\x2f\xfd"};
	unsigned known = 0;

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		for (size_t size = 0; size < 600; size++) {
			uint8_t *head = image(size);
			size_t len = strlen(starts[i]);

			memcpy(head, starts[i], len < size ? len : size);
			known += *find(head, size) != '\0';
			free(head);
		}
	is(known, (600 - 3) + (600 - 8) + (600 - 4), "heads of every length");
}

int main(void)
{
	check_aout();
	check_coff();
	check_lzma();
	check_pe();
	check_lengths();
	return tap_done();
}
