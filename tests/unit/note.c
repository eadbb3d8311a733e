/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF notes (System V ABI, "Note Section"): how one is read from bytes that may be anything, and
 * that vole's own has a kernel started by vole's protocol, whatever else the file is. */
#include "boot/note.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vole/start_info.h>

#include "boot/boot.h"

#include "../tap.h"

#define BASE 0x100000u

/* A note with a name and a value of up to 4 bytes each. */
struct small_note {
	Elf32_Nhdr header;
	char name[8];
	uint8_t value[4];
};

static const struct small_note good = {
	.header = {.n_namesz = 5, .n_descsz = 3, .n_type = 7},
	.name = "vole",
	.value = {1, 2, 3},
};

/* Reads the first note of len bytes, which lie in memory of just that size until the next call. */
static bool read_first(const struct small_note *from, size_t len, struct note *note, size_t *left)
{
	static uint8_t *bytes;
	const uint8_t *at;

	bytes = realloc(bytes, len ? len : 1);
	if (!bytes)
		exit(1);
	memcpy(bytes, from, len);
	at = bytes;
	*left = len;
	return note_next(&at, left, note);
}

static void test_read(void)
{
	struct note note;
	size_t left;
	bool any = false;

	ok(read_first(&good, sizeof good, &note, &left) && left == 0, "a note is read");
	ok(note.type == 7 && note.value_len == 3 && memcmp(note.value, good.value, 3) == 0,
		"... with its type and value");
	ok(note_is_of(&note, "vole"), "... and its owner");
	ok(!note_is_of(&note, "vol") && !note_is_of(&note, "vole2") && !note_is_of(&note, ""),
		"... who is nobody else");
	for (size_t len = 0; len < sizeof good; len++)
		any |= read_first(&good, len, &note, &left);
	ok(!any, "a note that is cut off anywhere is none");
}

static void test_sizes(void)
{
	static const uint32_t sizes[] = {9, 0xfffffffc, 0xffffffff, 0x80000000, NOTES_MAX + 1};
	struct small_note bad;
	struct note note;
	size_t left;
	bool any = false;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		bad = good;
		bad.header.n_namesz = sizes[i];
		any |= read_first(&bad, sizeof bad, &note, &left);
		bad = good;
		bad.header.n_descsz = sizes[i];
		any |= read_first(&bad, sizeof bad, &note, &left);
	}
	ok(!any, "a note that says it is longer than what is there is none");

	bad = good;
	bad.header.n_namesz = 4;
	bad.header.n_descsz = 0;
	ok(read_first(&bad, sizeof bad, &note, &left) && !note_is_of(&note, "vole"),
		"a name without its NUL is another name");
	ok(left == sizeof bad - sizeof bad.header - 4, "... and the next note begins behind it");
}

/* A kernel of 32 bits with two notes: PVH's entry point, and another. */
static struct {
	Elf32_Ehdr header;
	Elf32_Phdr code, notes;
	struct {
		Elf32_Nhdr header;
		char name[4];
		uint32_t entry;
	} xen;
	struct small_note own;
	uint8_t text[16];
} file;

static char path[] = "/tmp/vole-unit-note-XXXXXX";

/* Opens the kernel with an owner and a type for its other note. The name of the protocol. */
static const char *opened_as(const char *owner, uint32_t type, const char *asked)
{
	struct options options = {.kernel = path,
		.boot = asked,
		.memory_size = 64u << 20,
		.cpu_count = 1,
		.cmdline = ""};
	const char *name = "none";
	struct boot *boot = NULL;
	FILE *out = fopen(path, "wb");

	file.own = good;
	file.own.header = (Elf32_Nhdr){.n_namesz = 5, .n_descsz = 0, .n_type = type};
	memcpy(file.own.name, owner, 5);
	if (!out || fwrite(&file, 1, sizeof file, out) != sizeof file || fclose(out) != 0)
		exit(1);
	if (boot_open(&boot, &options) == 0)
		name = boot->protocol->name;
	boot_free(boot);
	return name;
}

static void make_file(void)
{
	file.header = (Elf32_Ehdr){
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = BASE,
		.e_phoff = offsetof(__typeof__(file), code),
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};
	file.code = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offsetof(__typeof__(file), text),
		.p_vaddr = BASE,
		.p_paddr = BASE,
		.p_filesz = sizeof file.text,
		.p_memsz = sizeof file.text,
	};
	file.notes = (Elf32_Phdr){
		.p_type = PT_NOTE,
		.p_offset = offsetof(__typeof__(file), xen),
		.p_filesz = sizeof file.xen + sizeof(Elf32_Nhdr) + 8,
	};
	file.xen.header = (Elf32_Nhdr){.n_namesz = 4, .n_descsz = 4, .n_type = 18};
	memcpy(file.xen.name, "Xen", 4);
	file.xen.entry = BASE;
}

static void test_claim(void)
{
	make_file();
	ok(strcmp(opened_as("vole", VOLE_NOTE_BOOT, "auto"), "vole") == 0,
		"vole's note wins over PVH's");
	ok(strcmp(opened_as("vole", VOLE_NOTE_BOOT + 1, "auto"), "linux") == 0, "... by its type");
	ok(strcmp(opened_as("volf", VOLE_NOTE_BOOT, "auto"), "linux") == 0, "... and by its owner");
	ok(strcmp(opened_as("vole", VOLE_NOTE_BOOT, "linux"), "linux") == 0,
		"--boot linux takes it by PVH");
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	test_read();
	test_sizes();
	test_claim();
	unlink(path);
	return tap_done();
}
