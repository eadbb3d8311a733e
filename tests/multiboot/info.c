/* SPDX-License-Identifier: BSD-2-Clause */
#include "info.h"

#include "../boot/print.h"
#include "x86.h"

static const char *string_at(uint32_t address)
{
	return (const char *)(uintptr_t)address;
}

static void print_line(const char *what, const char *text)
{
	print(what);
	put(' ');
	print(text);
	put('\n');
}

static void print_range(uint32_t base, uint32_t size, uint32_t type)
{
	print("memory ");
	print_hex(base);
	put(' ');
	print_hex(size);
	say("", type);
}

/* A module: its first word, its size and its name. */
static void print_module(uint32_t start, uint32_t end, uint32_t name)
{
	say("module", read32(start));
	say("size", end - start);
	print_line("name", string_at(name));
}

/* Looks for this kernel's own main function among the symbols that ELF section headers lead to, as
 * kernels do that print names in a report. Headers have 40 bytes, symbols 16 (ELF 1.2, 1-9 and
 * 1-16). */
static void print_symbol(uint32_t headers, uint32_t count, uint32_t wanted)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t header = headers + 40 * i, symbols = read32(header + 12);
		uint32_t names = read32(headers + 40 * read32(header + 24) + 12);

		if (read32(header + 4) != 2 /* SHT_SYMTAB */)
			continue;
		for (uint32_t at = 0; at < read32(header + 20); at += 16)
			if (read32(symbols + at + 4) == wanted)
				print_line("symbol", string_at(names + read32(symbols + at)));
	}
}

void kernel_main(uint32_t magic, uint32_t info);

/* Multiboot Specification 0.6.96, 3.3. */
static const char *print_info1(uint32_t info)
{
	uint32_t flags = read32(info), modules = read32(info + 24), map = read32(info + 48);

	say("flags", flags);
	say("lower", read32(info + 4));
	say("upper", read32(info + 8));
	print_line("command line", string_at(read32(info + 16)));
	for (uint32_t i = 0; i < read32(info + 20); i++, modules += 16)
		print_module(read32(modules), read32(modules + 4), read32(modules + 8));
	if (flags & 1 << 5)
		print_symbol(read32(info + 36), read32(info + 28), (uint32_t)&kernel_main);
	while (map < read32(info + 48) + read32(info + 44)) {
		print_range(read32(map + 4), read32(map + 12), read32(map + 20));
		map += read32(map) + 4;
	}
	print_line("loader", string_at(read32(info + 64)));
	return string_at(read32(info + 16));
}

static void print_map2(uint32_t tag)
{
	for (uint32_t at = 16; at < read32(tag + 4); at += read32(tag + 8))
		print_range(read32(tag + at), read32(tag + at + 8), read32(tag + at + 16));
}

/* Multiboot2 Specification 2.0, 3.6. */
static const char *print_info2(uint32_t info)
{
	const char *cmdline = "";

	for (uint32_t tag = info + 8; read32(tag) != 0; tag += (read32(tag + 4) + 7) / 8 * 8) {
		switch (read32(tag)) {
		case 1:
			cmdline = string_at(tag + 8);
			print_line("command line", cmdline);
			break;
		case 2:
			print_line("loader", string_at(tag + 8));
			break;
		case 3:
			print_module(read32(tag + 8), read32(tag + 12), tag + 16);
			break;
		case 4:
			say("lower", read32(tag + 8));
			say("upper", read32(tag + 12));
			break;
		case 6:
			print_map2(tag);
			break;
		case 9:
			print_symbol(tag + 20, read32(tag + 8), (uint32_t)&kernel_main);
			break;
		default:
			say("tag", read32(tag));
		}
	}
	return cmdline;
}

const char *info_print(uint32_t magic, uint32_t info)
{
	say("magic", magic);
	if (magic == 0x2badb002)
		return print_info1(info);
	if (magic == 0x36d76289)
		return print_info2(info);
	return "";
}
