/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux boot protocol on images made here, without KVM: what is refused, where things
 * go, what the kernel is told. "boot.rst" is Documentation/x86/boot.rst of Linux, "MP"
 * Intel's MultiProcessor Specification.
 */
#include "boot/boot.h"

#include <asm/bootparam.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/linux_guest.h"
#include "exit_status.h"

#include "../capture.h"
#include "../loaded.h"
#include "../refusal.h"
#include "../tap.h"

#define SETUP_SECTS 3
#define CODE_OFFSET ((SETUP_SECTS + 1) * 512u)
#define CODE_SIZE   0x4000u /* of it in the file */
#define PREFERRED   0x1000000u
#define INIT_SIZE   0x500000u

static char kernel_path[] = "/tmp/vole-unit-linux-XXXXXX";
static char initrd_path[] = "/tmp/vole-unit-initrd-XXXXXX";

struct kernel_file {
	uint8_t bytes[CODE_OFFSET + CODE_SIZE];
	size_t size;
};

static struct kernel_file image;

static struct setup_header *header(void)
{
	return (void *)(image.bytes + offsetof(struct boot_params, hdr));
}

/* A kernel as Linux 6.1 makes it, relocatable; each byte of its code tells where it is. */
static void good(void)
{
	image.size = sizeof image.bytes;
	memset(image.bytes, 0, CODE_OFFSET);
	*header() = (struct setup_header){
		.setup_sects = SETUP_SECTS,
		.syssize = CODE_SIZE / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb, /* to 0x26c */
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH,
		.code32_start = 0x100000,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = PREFERRED,
		.init_size = INIT_SIZE,
		.payload_length = 0x1234,
	};
	for (size_t i = CODE_OFFSET; i < image.size; i++)
		image.bytes[i] = (uint8_t)(i * 7 + i / 256);
}

static struct options options;

static void set_options(void)
{
	options = (struct options){
		.kernel = kernel_path, .boot = "auto", .memory_size = 64u << 20, .cpu_count = 1};
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refused(int status, const char *words, const char *name)
{
	image_write(kernel_path, image.bytes, image.size);
	options.boot = "linux";
	boot_refuses(&options, status, words, name);
	good();
	set_options();
}

static void test_refusals(void)
{
	good();
	set_options();
	header()->version = 0x0205;
	refused(127, "protocol 2.05 is too old", "boot.rst: version 2.05");
	header()->loadflags = 0;
	refused(127, "a zImage", "boot.rst: LOADED_HIGH is off");
	header()->header = 0x53726449;
	refused(127, "not a Linux kernel", "boot.rst: no HdrS");
	header()->boot_flag = 0;
	refused(127, "not a Linux kernel", "boot.rst: no 0xaa55");
	header()->header = 0;
	memcpy(image.bytes, "MZ", 2);
	refused(127, "needs EFI firmware", "an EFI executable");
	header()->syssize = 0;
	refused(127, "syssize is 0", "no code");
	header()->code32_start = 0;
	refused(127, "without an entry in protected mode (code32_start is 0), as iPXE's",
		"no entry in protected mode");
	header()->syssize++;
	refused(127, "truncated: the kernel ends at 0x4810, the file at 0x4800",
		"truncated by a paragraph");
	image.size -= 16;
	refused(127, "truncated: the kernel ends at 0x4800, the file at 0x47f0",
		"without the last paragraph");
	header()->syssize = UINT32_MAX;
	refused(127, "truncated", "a size of 64 GiB");
	header()->setup_sects = 255;
	refused(127, "truncated", "setup longer than the file");
	image.size = 0x210;
	refused(127, "not a Linux kernel", "a file that ends in the header");
	header()->kernel_alignment = 0;
	refused(127, "kernel_alignment 0x0 is not a power of two", "alignment 0");
	header()->kernel_alignment = 0x300000;
	refused(127, "kernel_alignment 0x300000", "alignment 3 MiB");
	header()->pref_address = 0x1000;
	refused(127, "pref_address 0x1000", "a place below 1 MiB");
	header()->pref_address = 1ull << 32;
	refused(127, "pref_address 0x100000000", "a place above 4 GiB");
	header()->pref_address = 0xfffff000;
	header()->init_size = UINT32_MAX;
	refused(127, "needs RAM up to 0x1ffffffff", "sizes that wrap");
	options.memory_size = PREFERRED + INIT_SIZE - PAGE_SIZE;
	refused(127, "needs RAM up to 0x1500000, and there is RAM up to 0x14ff000",
		"a page too little");
	options.memory_size = PREFERRED + INIT_SIZE;
	header()->init_size++;
	refused(127, "needs RAM up to 0x1500001", "a byte too little");
	options.memory_size = PAGE_SIZE;
	refused(127, "there is RAM up to 0x1000", "next to no RAM");
	options.memory_size = 0;
	refused(125, "memory size is 0", "no RAM");
	options.module_count = 1;
	options.modules[0] = initrd_path;
	refused(125, "--boot linux takes no --module", "a module");
	options.has_load = true;
	refused(125, "--boot linux takes no --load", "a load address");
}

static void test_initrd_refusals(void)
{
	const uint32_t end = PREFERRED + INIT_SIZE;

	good();
	set_options();
	options.initrd = "/nonexistent/initrd";
	refused(125, "/nonexistent/initrd: No such file", "no initial RAM disk");
	image_write(initrd_path, "", 0);
	options.initrd = initrd_path;
	refused(125, "the file is empty", "an empty one");
	image_write(initrd_path, "12", 2);
	options.initrd = initrd_path;
	options.memory_size = end;
	refused(127,
		"2 bytes do not fit between the kernel, which ends at 0x1500000, and 0x1500000, "
		"the end of RAM",
		"one without room");
	options.initrd = initrd_path;
	header()->initrd_addr_max = end;
	refused(127, "below which the kernel looks for it",
		"one with room above initrd_addr_max only");
	options.initrd = initrd_path;
	options.memory_size = 2u << 20;
	header()->initrd_addr_max = end;
	refused(127, "below which the kernel looks for it", "which more RAM does not change");
	options.initrd = initrd_path;
	options.memory_size = end;
	header()->initrd_addr_max = end + 2 * PAGE_SIZE - 1;
	refused(127, "the end of RAM; --memory 22M is enough", "what is enough where that is so");
	if (truncate(initrd_path, (48 << 20) + 1) == 0) {
		options.initrd = initrd_path;
		refused(127, "50331649 bytes do not fit", "one that is larger than what is free");
	}
}

/* --- what is loaded --------------------------------------------------------------------------- */

static struct boot *boot;
static struct memory memory;

static int load_on(const struct boot_machine *machine)
{
	image_write(kernel_path, image.bytes, image.size);
	return load_image(&options, machine, &boot, &memory);
}

static int load(void)
{
	return load_on(&(struct boot_machine){.cpu_count = 1});
}

static void unload(void)
{
	unload_image(&boot, &memory);
}

static const struct boot_params *params(void)
{
	return (const void *)(memory.host + boot->state.esi);
}

static void test_state(void)
{
	uint64_t code, data;

	good();
	set_options();
	is(load(), 0, "a bzImage is recognised and loaded");
	is(strcmp(boot->protocol->name, "linux"), 0, "as linux");
	is(boot->state.mode, ENTRY_FLAT32, "boot.rst, 32-bit: protected mode");
	is(boot->state.eip, PREFERRED, "entered where it is loaded");
	is(boot->state.code_selector, 0x10, "boot.rst, 32-bit: CS is __BOOT_CS");
	is(boot->state.data_selector, 0x18, "boot.rst, 32-bit: DS, ES and SS are __BOOT_DS");
	is(boot->state.ebx, 0, "boot.rst, 32-bit: EBX is 0");
	memcpy(&code, memory.host + boot->state.gdt_base + 0x10, 8);
	memcpy(&data, memory.host + boot->state.gdt_base + 0x18, 8);
	is(code, 0x00cf9b000000ffff, "the GDT has 4 GiB of code");
	is(data, 0x00cf93000000ffff, "and of data");
	is(boot->state.gdt_limit, 0x1f, "and nothing behind them");
	is(memcmp(memory.host + PREFERRED, image.bytes + CODE_OFFSET, CODE_SIZE), 0,
		"the code is there");
	is(memory.host[PREFERRED + CODE_SIZE], 0, "and zeros behind it");
	unload();
}

static void test_params(void)
{
	const struct setup_header *hdr;

	good();
	set_options();
	strcpy(options.cmdline, "console=ttyS0 quiet");
	load();
	hdr = &params()->hdr;
	is(hdr->boot_flag, 0xaa55, "boot.rst: the header is copied");
	is(hdr->payload_length, 0x1234, "to its end");
	is(hdr->type_of_loader, 0xff, "boot.rst: type_of_loader, unknown");
	is(hdr->code32_start, PREFERRED, "boot.rst: code32_start is where it was loaded");
	is(hdr->ramdisk_size, 0, "no initial RAM disk");
	is(strcmp((const char *)memory.host + hdr->cmd_line_ptr, "console=ttyS0 quiet"), 0,
		"the command line");
	is(params()->ext_cmd_line_ptr, 0, "below 4 GiB");
	is(params()->screen_info.orig_video_isVGA, 0, "no screen");
	unload();

	header()->jump = 0x36eb; /* to 0x238 */
	load();
	is(params()->hdr.kernel_alignment, 0x200000,
		"boot.rst: the header ends where the jump goes");
	is(params()->hdr.cmdline_size, 0, "and what lies there is not copied");
	unload();
}

static void test_memory_map(void)
{
	static const struct boot_e820_entry expected[] = {
		{0, 0x9f000, 1},
		{0x9f000, 0x1000, 2},
		{0xe0000, 0x20000, 2},
		{0x100000, 63u << 20, 1},
	};

	good();
	set_options();
	load();
	is(params()->e820_entries, 4, "the memory map has four entries");
	is(memcmp(params()->e820_table, expected, sizeof expected), 0,
		"RAM up to the MP table, and from 1 MiB on");
	is(boot->region_count, 3, "so has the machine, which has");
	ok(boot->regions[0].size == 0xa0000 && !boot->regions[0].read_only, "low RAM");
	ok(boot->regions[1].base == 0xe0000 && boot->regions[1].read_only, "empty ROM");
	ok(boot->regions[2].base == 0x100000 && boot->regions[2].size == 63u << 20, "high RAM");
	ok(!linux_wants_reset(&memory), "a triple fault would be a crash");
	memcpy(memory.host + 0x472, "\x00\x00", 2);
	ok(linux_wants_reset(&memory), "but not once 40:72 says cold reset");
	memcpy(memory.host + 0x472, "\x34\x12", 2);
	ok(linux_wants_reset(&memory), "or warm reset");
	unload();
}

static void test_places(void)
{
	good();
	set_options();
	header()->relocatable_kernel = 0;
	is(load(), 0, "a kernel that is not relocatable");
	is(boot->state.eip, 0x100000, "boot.rst: is loaded at 1 MiB");
	unload();
	options.memory_size = PREFERRED + INIT_SIZE - PAGE_SIZE;
	refused(127, "needs RAM up to 0x1500000", "but needs what it moves to");

	header()->pref_address = 0x1100000;
	options.memory_size = 0x1200000 + INIT_SIZE;
	is(load(), 0, "pref_address not aligned");
	is(boot->state.eip, 0x1200000, "boot.rst: kernel_alignment counts");
	unload();

	header()->version = 0x0209;
	set_options();
	is(load(), 0, "version 2.09");
	is(boot->state.eip, 0x200000, "boot.rst: has no pref_address");
	unload();

	header()->setup_sects = 0;
	header()->version = 0x020f;
	header()->syssize = 16;
	is(load(), 0, "setup_sects 0");
	is(memcmp(memory.host + boot->state.eip, image.bytes + 5 * 512, 256), 0,
		"boot.rst: means 4");
	unload();
}

static void test_initrd(void)
{
	static const uint8_t bytes[5000] = {[0] = 1, [4999] = 2};
	uint32_t base;

	good();
	set_options();
	image_write(initrd_path, bytes, sizeof bytes);
	options.initrd = initrd_path;
	is(load(), 0, "an initial RAM disk is loaded");
	base = params()->hdr.ramdisk_image;
	is(base, (64u << 20) - 8192, "at the end of RAM, page-aligned");
	is(params()->hdr.ramdisk_size, sizeof bytes, "with its size");
	is(memcmp(memory.host + base, bytes, sizeof bytes), 0, "its bytes");
	unload();
	header()->initrd_addr_max = 0x1ffffff;
	is(load(), 0, "boot.rst: initrd_addr_max below the end of RAM");
	is(params()->hdr.ramdisk_image, 0x2000000 - 8192, "it ends there");
	unload();
	header()->initrd_addr_max = PREFERRED + INIT_SIZE + 8191;
	is(load(), 0, "just enough room");
	is(params()->hdr.ramdisk_image, PREFERRED + INIT_SIZE, "behind the kernel");
	unload();
}

static void test_cmdline(void)
{
	static const struct boot_device devices[] = {{"a", 0xd0000000, 5}, {"b", 0xd0001000, 9}};
	static const char names[] = "virtio_mmio.device=4K@0xd0000000:5 "
				    "virtio_mmio.device=4K@0xd0001000:9";
	struct boot_machine machine = {.cpu_count = 1, .device_count = 2, .devices = devices};
	const char *cmdline;
	size_t room;

	good();
	set_options();
	is(load_on(&machine), 0, "devices without a command line");
	cmdline = (const char *)memory.host + params()->hdr.cmd_line_ptr;
	is(strcmp(cmdline, names), 0, "are all of it");
	room = 2047 - strlen(names) - 1;
	unload();
	strcpy(options.cmdline, "a -- b");
	is(load_on(&machine), 0, "devices and a command line");
	cmdline = (const char *)memory.host + params()->hdr.cmd_line_ptr;
	ok(memcmp(cmdline, names, sizeof names - 1) == 0 &&
			strcmp(cmdline + sizeof names - 1, " a -- b") == 0,
		"devices come first, so that -- does not hide them");
	unload();

	memset(options.cmdline, 'x', room);
	options.cmdline[room] = '\0';
	is(load_on(&machine), 0, "boot.rst: cmdline_size bytes fit");
	unload();
	options.cmdline[room] = 'x';
	options.cmdline[room + 1] = '\0';
	capture_begin();
	is(load_on(&machine), 125, "and no more");
	ok(strstr(capture_end(),
		   "a command line of 2048 bytes, with the devices; this kernel takes 2047"),
		"it says so");
	unload();
}

/* --- the MP table ----------------------------------------------------------------------------- */

static uint8_t sum(const uint8_t *bytes, size_t len)
{
	uint8_t total = 0;

	while (len-- > 0)
		total += *bytes++;
	return total;
}

static void test_mptable(unsigned cpus)
{
	const uint8_t *pointer, *table, *at;
	unsigned counts[5] = {0}, irqs = 0, bad = 0;
	uint32_t address;
	uint16_t len;

	good();
	set_options();
	load_on(&(struct boot_machine){.cpu_count = cpus});
	pointer = memory.host + 639 * 1024;
	ok(memcmp(pointer, "_MP_", 4) == 0 && sum(pointer, 16) == 0 && pointer[8] == 1,
		"MP 4.1: the pointer is in the last KiB below 640 KiB");
	memcpy(&address, pointer + 4, 4);
	table = memory.host + address;
	memcpy(&len, table + 4, 2);
	ok(address >= 0x9f000 && address + len <= 0x9fc00, "MP 4.2: the table is not in RAM");
	ok(memcmp(table, "PCMP", 4) == 0 && sum(table, len) == 0, "MP 4.2: and whole");
	for (at = table + 44; at < table + len; at += *at == 0 ? 20 : 8) {
		if (*at > 4)
			break;
		if (*at == 0)
			bad += at[1] != counts[0] || at[3] != (counts[0] == 0 ? 3 : 1);
		if (*at == 3) {
			irqs |= 1u << at[5];
			bad += at[5] != at[7] || at[6] != cpus;
		}
		counts[*at]++;
	}
	is(at - table, len, "MP 4.3: entries fill it");
	is(counts[0], cpus, "MP 4.3.1: %u CPUs, the first one boots", cpus);
	ok(counts[1] == 1 && counts[2] == 1, "MP 4.3.2, 4.3.3: a bus and an IOAPIC");
	is(irqs, 0xfffb, "MP 4.3.4: all interrupts of an ISA bus but the cascade");
	is(bad, 0, "number n at pin n of the IOAPIC");
	is(counts[4], 2, "MP 4.3.5: the PIC and NMI");
	is(table[34] | table[35] << 8, counts[0] + 2 + counts[3] + 2, "MP 4.2: their number");
	unload();
}

int main(void)
{
	int kernel = mkstemp(kernel_path), initrd = mkstemp(initrd_path);

	close(kernel);
	close(initrd);
	test_refusals();
	test_initrd_refusals();
	test_state();
	test_params();
	test_memory_map();
	test_places();
	test_initrd();
	test_cmdline();
	test_mptable(1);
	test_mptable(64);
	unlink(kernel_path);
	unlink(initrd_path);
	return tap_done();
}
