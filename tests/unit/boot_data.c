/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/boot/boot_data.c: the bytes of the boot data, and the first state of the CPU. */
#include "boot/boot_data.h"

#include <errno.h>
#include <string.h>

#include <vole/ports.h>

#include "../capture.h"
#include "../tap.h"

static uint8_t ram[VOLE_BOOT_DATA_END];

static uint32_t word_at(uint32_t address)
{
	uint32_t word;

	memcpy(&word, ram + address, sizeof word);
	return word;
}

/* Whether [address, address + len) is within the boot data, not over the stack. */
static bool in_boot_data(uint32_t address, uint32_t len)
{
	return address >= BOOT_DATA && address < BOOT_STACK && len <= BOOT_STACK - address;
}

static bool is_zero(uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		if (ram[from] != 0)
			return false;
	return true;
}

static void test_idt(const struct boot_entry *entry)
{
	unsigned wrong_gates = 0, wrong_stubs = 0;

	is(entry->idt_limit, 2047, "the IDT has 256 gates");
	is(entry->idt_base % 8, 0, "... aligned (SDM 3, 6.10)");
	ok(in_boot_data(entry->idt_base, 2048) && in_boot_data(entry->exception_stubs, 1024),
		"... in boot data, as its stubs");
	for (unsigned i = 0; i < 256; i++) {
		uint32_t stub = entry->exception_stubs + 4 * i;
		uint32_t low = word_at(entry->idt_base + 8 * i);
		uint32_t high = word_at(entry->idt_base + 8 * i + 4);

		wrong_gates += low != (VOLE_SELECTOR_CODE << 16 | (stub & 0xffff)) ||
			       high != ((stub & 0xffff0000) | 0x8e00);
		wrong_stubs += word_at(stub) != (0xfeeb00e6 | VOLE_PORT_EXCEPTION << 8);
	}
	is(wrong_gates, 0,
		"SDM 3, 6.11: gate n leads to stub n: interrupt gate, 32 bits, present, ring 0");
	is(wrong_stubs, 0, "each stub is out %%al, $VOLE_PORT_EXCEPTION; jmp to itself");
}

static void test_entry(const struct boot_entry *entry)
{
	uint32_t stub = word_at(entry->esp);

	is(entry->eax, 0x656c6f76, "EAX has the magic number");
	ok(in_boot_data(entry->ebx, sizeof(struct start_info)), "EBX: start_info in boot data");
	is(word_at(entry->esp + 4), entry->ebx, "[ESP + 4] is the argument, start_info");
	is((entry->esp + 4) % 16, 0, "i386 ABI 2.2.2: the argument is aligned to 16 at a call");
	ok(entry->esp >= BOOT_STACK && entry->esp + 8 <= BOOT_STACK_TOP, "ESP is in the stack");

	is(entry->gdt_limit, 23, "the GDT has three descriptors");
	is(entry->gdt_base % 8, 0, "... aligned");
	ok(is_zero(entry->gdt_base, entry->gdt_base + 8), "SDM 3, 3.5.1: the first one is null");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_CODE), 0x0000ffff, "code: base 0, limit 4 GiB");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_CODE + 4), 0x00cf9b00,
		"SDM 3, 3.4.5: code, readable, accessed, present, 32-bit, pages");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_DATA), 0x0000ffff, "data: base 0, limit 4 GiB");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_DATA + 4), 0x00cf9300,
		"SDM 3, 3.4.5: data, writable, accessed, present, 32-bit, pages");

	test_idt(entry);
	ok(in_boot_data(stub, 2), "[ESP] returns into the boot data");
	ok(ram[stub] == 0xe7 && ram[stub + 1] == VOLE_PORT_EXIT,
		"... to out %%eax, $VOLE_PORT_EXIT");
	is(word_at(entry->cpu_return), 0xfdebf4fa, "other CPUs return to cli; hlt; jmp to the hlt");
}

static const struct boot_module two_modules[] = {
	{"dir/initrd.img", 100, 0xfff000},
	{"plain", 8192, 0xffd000},
};

static void test_boot_data(void)
{
	static const struct memory_map map = {
		3, {{0x1000, 0x3000, 1, 1}, {0x4000, 0x4000, 0, 1}, {0x8000, 0xff8000, 0, 0}}};
	const struct boot_config config = {
		.cpu_count = 4,
		.device_count = 3,
		.tsc_khz = 2000000,
		.apic_timer_khz = 1000000,
		.cmdline = "root=/dev/vda quiet",
		.modules = two_modules,
		.module_count = 2,
	};
	struct boot_entry entry;
	struct start_info info;
	struct module_entry modules[2];

	memset(ram, 0, sizeof ram);
	is(boot_data_write(ram, &map, &config, &entry), 0, "boot data is written");
	test_entry(&entry);
	memcpy(&info, ram + entry.ebx, sizeof info);
	is(info.ioapic_base, 0xfec00000, "ioapic_base");
	is(info.mem_size, 3, "mem_size counts entries");
	ok(memcmp(ram + info.mem_entries, map.entries, 3 * sizeof *map.entries) == 0,
		"mem_entries is the address of the memory map");
	is(info.dev_size, 3, "dev_size counts entries");
	for (uint32_t i = 0; i < 3; i++) {
		is(word_at(info.dev_entries + 8 * i), 0xd0000000 + i * 0x1000,
			"device %u: base_addr", i);
		is(word_at(info.dev_entries + 8 * i + 4), i + 1, "device %u: interrupt_num", i);
	}
	is(info.size, 52, "size");
	is(info.apic_base, 0xfee00000, "apic_base");
	is(info.cpu_count, 4, "cpu_count");
	is(info.tsc_khz, 2000000, "tsc_khz");
	is(info.apic_timer_khz, 1000000, "apic_timer_khz");
	ok(strcmp((char *)ram + info.cmdline, config.cmdline) == 0, "cmdline");
	is(info.module_count, 2, "module_count");
	memcpy(modules, ram + info.modules, sizeof modules);
	is(modules[0].base, 0xfff000, "module: base");
	is(modules[0].size, 100, "module: size in bytes");
	is(modules[0].reserved, 0, "module: reserved");
	ok(strcmp((char *)ram + modules[0].name, "initrd.img") == 0, "module: base name");
	ok(strcmp((char *)ram + modules[1].name, "plain") == 0, "module: name without a folder");
	ok(is_zero(0, BOOT_DATA), "page 0, which the guest has not, stays zero");
	ok(is_zero(BOOT_STACK, entry.esp), "the stack below ESP stays zero");
}

/* The length of all names, if a machine has as many modules as possible, and all else is full,
 * too. */
#define NAME_LEN 159

/* The fullest machine: every table and string at its limit, nothing over anything else. */
static void test_full_boot_data(void)
{
	static struct memory_map map = {.count = MEMORY_MAP_MAX};
	char cmdline[VOLE_CMDLINE_MAX + 1], name[NAME_LEN + 1];
	struct boot_module modules[MODULES_MAX];
	struct boot_config config = {
		.cpu_count = 1,
		.device_count = DEVICE_COUNT,
		.cmdline = cmdline,
		.modules = modules,
		.module_count = MODULES_MAX,
	};
	struct boot_entry entry;
	struct start_info info;
	const char *said;
	unsigned wrong = 0;
	int err;

	for (unsigned i = 0; i < MEMORY_MAP_MAX; i++)
		map.entries[i] = (struct memory_map_entry){i, ~i, i, i};
	memset(cmdline, 'c', VOLE_CMDLINE_MAX);
	cmdline[VOLE_CMDLINE_MAX - 1] = '\0';
	memset(name, 'n', NAME_LEN);
	name[NAME_LEN] = '\0';
	for (unsigned i = 0; i < MODULES_MAX; i++)
		modules[i] = (struct boot_module){name, i + 1, i * 0x1000};

	memset(ram, 0, sizeof ram);
	is(boot_data_write(ram, &map, &config, &entry), 0, "the fullest machine has room");
	test_entry(&entry);
	memcpy(&info, ram + entry.ebx, sizeof info);
	ok(memcmp(ram + info.mem_entries, map.entries, sizeof map.entries) == 0,
		"... its memory map");
	for (uint32_t i = 0; i < DEVICE_COUNT; i++)
		wrong += word_at(info.dev_entries + 8 * i) != 0xd0000000 + i * 0x1000;
	is(wrong, 0, "... its device map");
	ok(strcmp((char *)ram + info.cmdline, cmdline) == 0, "... its command line");
	for (uint32_t i = 0; i < MODULES_MAX; i++) {
		struct module_entry module;

		memcpy(&module, ram + info.modules + i * sizeof module, sizeof module);
		wrong += module.size != i + 1 || module.base != i * 0x1000;
		wrong += strcmp((char *)ram + module.name, name) != 0;
	}
	is(wrong, 0, "... its modules with names of %u bytes", NAME_LEN);

	cmdline[VOLE_CMDLINE_MAX - 1] = 'c';
	cmdline[VOLE_CMDLINE_MAX] = '\0';
	capture_begin();
	err = boot_data_write(ram, &map, &config, &entry);
	said = capture_end();
	is(-err, ENOSPC, "a command line that is too long is refused");
	ok(strstr(said, "the guest's command line has 4096 bytes, of 4095 at most"),
		"... and why is said");
}

static void test_long_name(void)
{
	static const struct memory_map map = {1, {{0, 0x9000, 0, 0}}};
	static char name[BOOT_STACK - BOOT_DATA];
	const struct boot_module module = {name, 1, 0x8000};
	const struct boot_config config = {
		.cmdline = "", .modules = &module, .module_count = 1, .cpu_count = 1};
	struct boot_entry entry;
	const char *said;
	int err;

	memset(name, 'n', sizeof name - 1);
	memset(ram, 0, sizeof ram);
	capture_begin();
	err = boot_data_write(ram, &map, &config, &entry);
	said = capture_end();
	is(-err, ENOSPC, "names of modules that do not fit are refused");
	ok(strstr(said, "no room for the name of module nnn"), "... and why is said");
	ok(is_zero(BOOT_STACK, BOOT_STACK_TOP), "... and nothing is written over the stack");
}

int main(void)
{
	test_boot_data();
	test_full_boot_data();
	test_long_name();
	return tap_done();
}
