/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PVH on ELF files made here, without KVM: how the entry point is found, what is refused,
 * what the kernel is told. "pvh" is Xen's docs/misc/pvh.pandoc, "start_info.h" its
 * description of hvm_start_info.
 */
#include "boot/boot.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/elf.h"
#include "boot/linux_guest.h"
#include "boot/pvh_note.h"

#include "../capture.h"
#include "../loaded.h"
#include "../refusal.h"
#include "../tap.h"

#define BASE     0x1000000u
#define ENTRY    (BASE + 0x10)
#define CODE_LEN 0x2000u
#define BSS_LEN  0x3000u
#define NOTES    0x2400 /* in the file; behind what is read to recognise it */
#define VIRTUAL  0xffffffff81000000ull

static char kernel_path[] = "/tmp/vole-unit-pvh-XXXXXX";
static char initrd_path[] = "/tmp/vole-unit-initrd-XXXXXX";

struct file64 {
	Elf64_Ehdr header;
	Elf64_Phdr code, notes;
	uint8_t room[NOTES];
	Elf32_Nhdr other;
	char other_name[4];
	uint8_t other_value[24];
	Elf32_Nhdr note;
	char note_name[4];
	uint32_t entry, entry_high;
};

static struct file64 file;

/* As Linux 6.1 makes it. */
static void good(void)
{
	memset(&file, 0, sizeof file);
	file.header = (Elf64_Ehdr){
		.e_ident = ELFMAG,
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = VIRTUAL,
		.e_phoff = offsetof(struct file64, code),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	file.header.e_ident[EI_CLASS] = ELFCLASS64;
	file.header.e_ident[EI_DATA] = ELFDATA2LSB;
	file.header.e_ident[EI_VERSION] = EV_CURRENT;
	file.code = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offsetof(struct file64, room),
		.p_vaddr = VIRTUAL,
		.p_paddr = BASE,
		.p_filesz = CODE_LEN,
		.p_memsz = CODE_LEN + BSS_LEN,
	};
	file.notes = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct file64, other),
		.p_filesz = sizeof file - offsetof(struct file64, other),
	};
	for (size_t i = 0; i < CODE_LEN; i++)
		file.room[i] = (uint8_t)(i * 3 + i / 256);
	file.other = (Elf32_Nhdr){.n_namesz = 4, .n_descsz = 24, .n_type = 3};
	memcpy(file.other_name, "GNU", 4);
	file.note = (Elf32_Nhdr){.n_namesz = 4, .n_descsz = 8, .n_type = 18};
	memcpy(file.note_name, "Xen", 4);
	file.entry = ENTRY;
}

static struct options options;
static struct boot *boot;
static struct memory memory;

static void put_file(void)
{
	image_write(kernel_path, &file, sizeof file);
	options = (struct options){
		.kernel = kernel_path, .boot = "auto", .memory_size = 64u << 20, .cpu_count = 1};
}

static int load(void)
{
	static const struct boot_machine machine = {.cpu_count = 1};

	return load_image(&options, &machine, &boot, &memory);
}

static void unload(void)
{
	unload_image(&boot, &memory);
}

static void refused(const char *name_of_protocol, const char *words, const char *name)
{
	put_file();
	options.boot = name_of_protocol;
	boot_refuses(&options, 127, words, name);
	good();
}

/* --- notes ------------------------------------------------------------------------------------ */

static int find(const void *notes, size_t len, uint32_t *entry)
{
	/* Of just this size, so that a sanitizer sees a byte too far. */
	uint8_t *copy = malloc(len ? len : 1);
	int ret;

	memcpy(copy, notes, len);
	ret = image_pvh_entry(copy, len, entry);
	free(copy);
	return ret;
}

static void test_notes(void)
{
	const uint8_t *notes = (const uint8_t *)&file.other;
	size_t len = sizeof file - offsetof(struct file64, other), found = 0;
	uint32_t entry = 0;

	good();
	is(find(notes, len, &entry), 0, "pvh: the entry point is in Xen's note 18");
	is(entry, ENTRY, "as a number of eight bytes");
	for (size_t cut = 0; cut < len; cut++)
		found += find(notes, cut, &entry) != -ENOENT;
	is(found, 0, "notes that are cut anywhere have none");
	file.note.n_descsz = 4;
	is(find(notes, len, &entry), 0, "or of four bytes");
	file.note.n_descsz = 6;
	is(-find(notes, len, &entry), ENOEXEC, "but not of six");
	good();
	file.entry_high = 1;
	is(-find(notes, len, &entry), ERANGE, "an entry point above 4 GiB");
	good();
	file.note.n_type = 1;
	is(-find(notes, len, &entry), ENOEXEC, "a kernel for Xen, but without PVH");
	memcpy(file.note_name, "Zen", 4);
	is(-find(notes, len, &entry), ENOENT, "a note of somebody else");
	file.other.n_namesz = UINT32_MAX - 3;
	is(-find(notes, len, &entry), ENOENT, "a name whose size wraps");
	good();
	file.other.n_descsz = UINT32_MAX;
	is(-find(notes, len, &entry), ENOENT, "a value whose size wraps");
}

/* --- refusals --------------------------------------------------------------------------------- */

static void test_refusals(void)
{
	good();
	file.note.n_type = 1;
	refused("auto", "no entry point for PVH, though there are other notes for Xen",
		"Xen's PV only");
	file.notes.p_type = PT_NULL;
	refused("auto", "a 64-bit ELF; vole loads 32-bit ones", "64-bit ELF without notes");
	file.entry_high = 1;
	refused("auto", "no entry point for PVH below 4 GiB", "an entry point above 4 GiB");
	file.entry = BASE + CODE_LEN + BSS_LEN;
	refused("auto", "entry point 0x1005000 is in no loadable segment",
		"an entry point nowhere");
	file.code.p_flags = PF_R;
	refused("auto", "which is not executable", "an entry point in data");
	file.code.p_paddr = 1ull << 32;
	refused("auto", "reach over 4 GiB", "a segment above 4 GiB");
	file.code.p_paddr = file.entry = 0xff000;
	refused("auto", "is for 0xff000, below 1 MiB", "a segment below 1 MiB");
	file.code.p_memsz = UINT64_MAX;
	refused("auto", "reach over 4 GiB", "a size that wraps");
	file.code.p_offset = UINT64_MAX;
	refused("auto", "truncated", "an offset that wraps");
	file.header.e_phnum = 1000;
	refused("auto", "truncated: the program headers end at", "headers that are cut");
	file.header.e_machine = EM_386;
	refused("auto", "for machine 3, not 62 (x86-64)", "64-bit for i386");
	file.header.e_type = ET_DYN;
	refused("auto", "position-independent", "not at a fixed address");
	file.code.p_memsz = 64u << 20;
	refused("auto", "needs RAM up to 0x5000000, and there is RAM up to 0x4000000",
		"not enough RAM");
}

/* --- what is loaded --------------------------------------------------------------------------- */

static uint64_t word(uint32_t at, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, memory.host + at, len);
	return value;
}

static void test_state(void)
{
	uint32_t offset;

	good();
	put_file();
	is(load(), 0, "a 64-bit ELF file with PVH's note is recognised and loaded");
	is(strcmp(boot->protocol->name, "linux"), 0, "as linux");
	is(boot->state.mode, ENTRY_FLAT32, "pvh: flat protected mode");
	is(boot->state.eip, ENTRY, "pvh: entered where the note says");
	is(memcmp(memory.host + BASE, file.room, CODE_LEN), 0,
		"segments are at their physical places");
	is(word(BASE + CODE_LEN, 8), 0, "zeros behind them");
	ok(!boot->protocol->symbol(boot, VIRTUAL, &offset), "without symbols nothing has a name");
	unload();
	options.boot = "vole";
	capture_begin();
	is(boot_open(&boot, &options), 127, "as vole's own it is refused");
	capture_end();
	boot_free(boot);
}

static void test_start_info(void)
{
	static const uint64_t expected[4][3] = {
		{0, 0x9f000, 1},
		{0x9f000, 0x1000, 2},
		{0xe0000, 0x20000, 2},
		{0x100000, 63u << 20, 1},
	};
	uint32_t info, map, bad = 0;

	good();
	put_file();
	strcpy(options.cmdline, "quiet");
	load();
	info = boot->state.ebx;
	is(word(info, 4), 0x336ec578, "start_info.h: the magic number, at EBX");
	is(word(info + 4, 4), 1, "start_info.h: version 1");
	is(word(info + 8, 4), 0, "start_info.h: no flags");
	is(word(info + 12, 4), 0, "start_info.h: no modules");
	is(strcmp((char *)memory.host + word(info + 24, 8), "quiet"), 0,
		"start_info.h: command line");
	is(word(info + 32, 8), 0, "start_info.h: no ACPI");
	is(word(info + 48, 4), 4, "start_info.h: four ranges");
	map = (uint32_t)word(info + 40, 8);
	for (unsigned i = 0; i < 4; i++)
		bad += word(map + 24 * i, 8) != expected[i][0] ||
		       word(map + 24 * i + 8, 8) != expected[i][1] ||
		       word(map + 24 * i + 16, 8) != expected[i][2];
	is(bad, 0, "start_info.h: base, size and type of each");
	unload();
}

static void test_initrd(void)
{
	uint32_t modules;

	image_write(initrd_path, "initial", 7);
	good();
	put_file();
	options.initrd = initrd_path;
	is(load(), 0, "an initial RAM disk is loaded");
	is(word(boot->state.ebx + 12, 4), 1, "start_info.h: it is a module");
	modules = (uint32_t)word(boot->state.ebx + 16, 8);
	is(word(modules, 8), (64u << 20) - PAGE_SIZE, "at the end of RAM");
	is(word(modules + 8, 8), 7, "with its size");
	is(memcmp(memory.host + word(modules, 8), "initial", 7), 0, "its bytes");
	unload();
	options.memory_size = 2u << 30;
	is(load(), 0, "with much RAM");
	modules = (uint32_t)word(boot->state.ebx + 16, 8);
	is(word(modules, 8), 0x38000000 - PAGE_SIZE, "it is where every Linux finds it");
	unload();
}

int main(void)
{
	close(mkstemp(kernel_path));
	close(mkstemp(initrd_path));
	test_notes();
	test_refusals();
	test_state();
	test_start_info();
	test_initrd();
	unlink(kernel_path);
	unlink(initrd_path);
	return tap_done();
}
