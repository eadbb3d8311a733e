/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot 1 and 2 on images made here, without an engine: which header is found, and what is
 * refused of it. */
#include <stdlib.h>
#include <unistd.h>

#include "../multiboot_fixture.h"

/* --- recognising ------------------------------------------------------------------------------ */

static void test_places(void)
{
	const uint32_t addresses[] = {BASE, BASE, 0, 0, BASE};
	const uint32_t tags[] = {2, 24, BASE, BASE, 0, 0, 3, 12, BASE, 0, 0, 8};

	good();
	takes("vole", "an ELF file without a header is vole's own");
	for (size_t at = 0; at <= 8192 - 32; at += 8192 - 32) {
		memset(&file, 0, sizeof file);
		file_len = 8192;
		header1_at(at, 0x10000, addresses, 5);
		takes("multiboot", "MB1 3.1: a header that ends in the first 8192 bytes");
	}
	memset(&file, 0, sizeof file);
	file_len = sizeof file;
	header1_at(8192 - 8, 0x10000, addresses, 5);
	takes("", "MB1 3.1: not one that ends behind them");
	header1_at(2, 0x10000, addresses, 5);
	takes("", "MB1 3.1: nor one that is not aligned to 4");
	header1_at(0, 0x10000, addresses, 5);
	file.bytes[8]++;
	takes("", "MB1 3.1.2: nor one with another checksum");

	for (size_t at = 0; at <= 32768 - 64; at += 32768 - 64) {
		memset(&file, 0, sizeof file);
		header2_at(at, tags, 12);
		takes("multiboot", "MB2 3.1: a header that ends in the first 32768 bytes");
	}
	memset(&file, 0, sizeof file);
	header2_at(4, tags, 12);
	takes("", "MB2 3.1: not one that is not aligned to 8");
	header2_at(32768, tags, 12);
	takes("", "MB2 3.1: nor one behind them");
	header2_at(0, tags, 12);
	file.bytes[12]++;
	takes("", "MB2 3.1.2: nor one with another checksum");
}

/* vole says these words of an ELF file that has this at an offset instead of a header. */
static void mistake(size_t offset, uint32_t flags, uint32_t checksum, const char *words)
{
	const uint32_t header[] = {MAGIC1, flags, checksum};
	const char *said;

	good();
	file_len = sizeof file;
	put(file.bytes + offset, header, 3);
	put_file();
	capture_begin();
	boot_open(&boot, &options);
	boot_free(boot);
	boot = NULL;
	said = capture_end();
	if (!ok(strstr(said, words), "a header that does not count: %s", words))
		printf("# %s", said);
}

static void test_mistakes(void)
{
	mistake(0x4000, 0, -MAGIC1,
		"Multiboot 1 header at offset 0x4000 does not count: it is not in");
	mistake(0x1001, 0, -MAGIC1,
		"header at offset 0x1001 does not count: it is not aligned to 4");
	mistake(0x1000, 3, -MAGIC1, "flags and checksum do not add up to 0");
	good();
	put(file.bytes + 0x1000, (const uint32_t[]){MAGIC1, 0x24448b90, 0}, 3);
	put_file();
	capture_begin();
	boot_open(&boot, &options);
	boot_free(boot);
	boot = NULL;
	ok(!strstr(capture_end(), "does not count"), "a loader's code is no header");
}

static void test_others(void)
{
	const uint32_t addresses[] = {BASE, BASE, 0, 0, BASE}, aout[] = {0413, 0x100, 0};

	memset(&file, 0, sizeof file);
	file_len = 8192;
	header1_at(64, 0x10000, addresses, 5);
	put(file.bytes, aout, 3);
	header1_at(64, 0x10000, (const uint32_t[]){BASE + 64, BASE, 0, 0, BASE + 64}, 5);
	takes("multiboot", "an a.out executable with a header is one");
	memset(file.bytes, 0, 64);
	takes("multiboot", "as is raw code");
	memcpy(file.bytes + 510, "\x55\xaa", 2);
	takes("", "a disk image with one in it is none");
	memset(file.bytes + 510, 0, 2);
	memcpy(file.bytes, "\x1f\x8b\x08", 3);
	takes("", "nor is a compressed file");
	header1(0);
	file.elf.elf.e_machine = EM_ARM;
	takes("", "nor an ELF file for another processor");
}

/* --- headers ---------------------------------------------------------------------------------- */

static void test_header1(void)
{
	good();
	refused("no Multiboot header", "a file without a header");
	header1(0x7);
	refused("requires a graphics mode", "MB1 3.1.4: a linear framebuffer");
	memset(file.elf.code + HEADER + 12, 0, 32);
	file.elf.code[HEADER + 32] = 1;
	takes("multiboot", "MB1 3.1.4: but text mode is there");
	header1(0x8);
	refused("requires what vole does not have: flags 0x8", "MB1 3.1.2: an unknown flag");
	header1(0x80000000);
	takes("multiboot", "MB1 3.1.2: an unknown flag that need not be known");
	good();
	file_len = 8192;
	header1_at(8192 - 16, 0x10000, NULL, 0);
	refused("header at offset 0x1ff0 is cut off", "MB1 3.1.3: fields behind the 8192 bytes");
}

/* With these address fields: header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr. */
#define addresses(...)                                    \
	do {                                              \
		const uint32_t fields_[] = {__VA_ARGS__}; \
		memset(&file, 0, sizeof file);            \
		file_len = 0x2000;                        \
		header1_at(0x40, 0x10000, fields_, 5);    \
	} while (0)

static void test_address_fields(void)
{
	addresses(BASE + 0x20, BASE, BASE + 0x1000, BASE + 0x3000, BASE + 8);
	file.bytes[0x20] = 0xb8; /* at load_addr */
	file.bytes[0x101f] = 0xb9;
	file.bytes[0x1020] = 0xba; /* at load_end_addr */
	put_file();
	is(load(), 0, "MB1 3.1.3: raw code with addresses is loaded");
	is(word(BASE, 1), 0xb8, "MB1 3.1.3: from load_addr");
	is(word(BASE + 0xfff, 2), 0xb9, "MB1 3.1.3: up to load_end_addr");
	is(boot->state.eip, BASE + 8, "MB1 3.1.3: and entered at entry_addr");
	unload();
	addresses(BASE + 0x40, BASE, 0, 0, BASE + 0x1fff);
	file.bytes[0x1fff] = 0xb8;
	put_file();
	is(load(), 0, "MB1 3.1.3: without ends, the whole file is loaded");
	is(word(BASE + 0x1fff, 1), 0xb8, "MB1 3.1.3: to its last byte");
	unload();

	addresses(BASE + 0x44, BASE, 0, 0, BASE);
	refused("begin before the file", "MB1 3.1.3: load_addr is before the file's beginning");
	addresses(BASE, BASE + 4, 0, 0, BASE);
	refused("begin before the file", "MB1 3.1.3: load_addr is behind header_addr");
	addresses(BASE, BASE, BASE - 1, 0, BASE);
	refused("do not ascend", "MB1 3.1.3: load_end_addr is before load_addr");
	addresses(BASE, BASE, BASE + 0x10, BASE + 0xf, BASE);
	refused("do not ascend", "MB1 3.1.3: bss_end_addr is before load_end_addr");
	addresses(BASE, BASE, BASE + 0x1fc1, 0, BASE);
	refused("truncated: load_end_addr 0x101fc1", "MB1 3.1.3: load_end_addr is behind the file");
	addresses(BASE, BASE, 0, 0, BASE + 0x1fc0);
	refused("entry address 0x101fc0 is not in the image", "MB1 3.1.3: entry_addr is outside");
	addresses(0xfffff000, 0xfffff000, 0, 0, 0xfffff000);
	refused("reach over 4 GiB", "MB1 3.1.3: load_addr is too near to 4 GiB");
	addresses(BASE, BASE, 0, 0x1000001, BASE);
	refused("are not in RAM", "MB1 3.1.3: bss_end_addr is beyond RAM");
	addresses(0x9e000, 0x9e000, 0, 0, 0x9e000);
	refused("are not in RAM", "MB1 3.1.3: an image in the MP table");
}

static void test_header2(void)
{
	header2(1, 16, 4, 6, 4, 12, 3, 0, 6, 8, 0x10005, 20, 1024, 768, 32, 0, 0, 8);
	takes("multiboot", "MB2 3.1: tags that vole can fulfil, and an optional framebuffer");
	header2(5, 20, 80, 25, 0, 0, 0, 8);
	takes("multiboot", "MB2 3.1.10: a screen in text mode");
	header2(7, 8, 9, 12, BASE, 0, 0, 8);
	takes("multiboot", "MB2 3.1.7: tags for EFI mean nothing here");
	header2(0x10077, 8, 0x10001, 12, 99, 0, 0, 8);
	takes("multiboot", "MB2 3.1.3: optional tags need not be known");
	header2(5, 20, 1024, 768, 32, 0, 0, 8);
	refused("requires a graphics mode", "MB2 3.1.10: a framebuffer");
	header2(0x77, 8, 0, 8);
	refused("a tag of type 119", "MB2 3.1.3: an unknown tag");
	header2(1, 12, 22, 0, 0, 8);
	refused("boot information of type 22", "MB2 3.1.4: unknown information");
	header2(2, 24, BASE, BASE, 0, 0, 0, 8);
	refused("no entry address tag", "MB2 3.1.5: addresses without an entry point");
	header2(3, 8, 0, 8);
	refused("type 3 in the Multiboot 2 header has 8 bytes, not 12", "MB2 3.1.3: a short tag");
	header2(6, 7, 0, 8);
	refused("a tag of type 6 and 7 bytes in 16", "MB2 3.1.3: a tag of 7 bytes");
	header2(6, 0xfffffff8, 0, 8);
	refused("a tag of type 6 and 4294967288 bytes", "MB2 3.1.3: a tag longer than its header");
	header2(6, 8);
	refused("no tag that ends it", "MB2 3.1.3: no last tag");
	header2(6, 8, 0);
	refused("no tag that ends it", "MB2 3.1.3: a last tag that is cut off");
	good();
	put(file.bytes + 64, (const uint32_t[]){MAGIC2, 4, 24, -(MAGIC2 + 28), 0, 8}, 6);
	refused("is for architecture 4, not 0 (i386)", "MB2 3.1.2: MIPS");
	good();
	put(file.bytes + 64, (const uint32_t[]){MAGIC2, 0, 32768, -(MAGIC2 + 32768), 0, 8}, 6);
	refused("is cut off", "MB2 3.1: a header longer than the file");
	header2(10, 24, 0, 0xffffffff, 12, 0, 0, 8);
	refused("0xc is not a power of two", "MB2 3.1.13: alignment");
	header2(10, 24, 0x200000, 0x202ffe, 0x1000, 0, 0, 8);
	refused("leaves no place above 1 MiB", "MB2 3.1.13: too little room");
}

int main(void)
{
	close(mkstemp(kernel_path));
	test_places();
	test_mistakes();
	test_others();
	test_header1();
	test_address_fields();
	test_header2();
	unlink(kernel_path);
	return tap_done();
}
