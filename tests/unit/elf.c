/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/boot/elf.c: what is loaded, what is refused and with which words, and symbols. */
#include "boot/elf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../capture.h"
#include "../elf_make.h"
#include "../tap.h"

/* The file under test: in memory, with a path. */
static int file_fd;
static char file_path[64];

static void put_file(const void *bytes, size_t len)
{
	if (ftruncate(file_fd, 0) < 0 || pwrite(file_fd, bytes, len, 0) != (ssize_t)len) {
		printf("Bail out! cannot write the test's file\n");
		exit(1);
	}
}

static void put_kind(const char *name)
{
	struct elf_file file;

	elf_make(&file, elf_kind_find(name));
	put_file(&file, file.len);
}

/* Returns whether an image is as image_open() promises. */
static bool image_is_sound(const struct image *image)
{
	bool entry = false;

	if (image->segment_count == 0 || image->segment_count > IMAGE_SEGMENTS_MAX)
		return false;
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segments[i];

		if (s->memory_size == 0 || s->file_size > s->memory_size)
			return false;
		if ((uint64_t)s->paddr + s->memory_size > UINT32_MAX)
			return false;
		if (i > 0 && s[-1].paddr + s[-1].memory_size > s->paddr)
			return false;
		entry |= s->executable && image->entry - s->paddr < s->memory_size;
	}
	return entry;
}

/* Load what is small enough to be this test's, into memory that ends where the segment does. */
static int load_all(const struct image *image)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		void *memory;
		int err;

		if (segment->memory_size > 1 << 20)
			continue;
		memory = calloc(1, segment->memory_size);
		err = image_load_segment(image, segment, memory);
		free(memory);
		if (err)
			return err;
	}
	return 0;
}

static void test_kinds(void)
{
	for (const struct elf_kind *kind = elf_kinds; kind->name; kind++) {
		struct image image;
		const char *said;
		int err;

		put_kind(kind->name);
		capture_begin();
		err = image_open(&image, file_path);
		said = capture_end();
		if (kind->outcome == ELF_BAD_IMAGE) {
			char expected[512];

			snprintf(expected, sizeof expected, "vole: %s: %s", file_path,
				kind->refusal);
			is(-err, ENOEXEC, "%s: is refused", kind->name);
			ok(strncmp(said, expected, strlen(expected)) == 0, "%s: says \"%s\"",
				kind->name, kind->refusal);
			is(capture_lines(said), 1, "%s: one message", kind->name);
		} else {
			is(err, 0, "%s: opens", kind->name);
			ok(image_is_sound(&image), "%s: is sound", kind->name);
			is(load_all(&image), 0, "%s: its segments load", kind->name);
			is(strlen(said), 0, "%s: no message", kind->name);
		}
		image_free(&image);
	}
}

static void expect_refusal(const char *path, int error, const char *words, const char *name)
{
	struct image image;
	const char *said;
	int err;

	capture_begin();
	err = image_open(&image, path);
	said = capture_end();
	is(-err, error, "%s is refused", name);
	ok(strstr(said, path) && strstr(said, words) && capture_lines(said) == 1,
		"%s: one message says \"%s\"", name, words);
	image_free(&image);
	is(image.fd, -1, "%s: the image is empty after image_free()", name);
}

static void test_not_files(void)
{
	char fifo[] = "/tmp/vole-unit-elf-XXXXXX/fifo";
	char *slash = strrchr(fifo, '/');

	expect_refusal("/nonexistent/kernel", ENOENT, "No such file or directory", "no file");
	expect_refusal("/", ENOEXEC, "a directory", "a directory");
	expect_refusal("/dev/null", ENOEXEC, "not a regular file", "a device");

	*slash = '\0';
	if (!mkdtemp(fifo))
		return;
	*slash = '/';
	if (mkfifo(fifo, 0600) == 0)
		expect_refusal(fifo, ENOEXEC, "not a regular file", "a FIFO without a writer");
	unlink(fifo);
	*slash = '\0';
	rmdir(fifo);
}

static void test_good(void)
{
	struct image image;
	const struct image_segment *text = &image.segments[0], *data = &image.segments[1];
	uint8_t memory[ELF_DATA_MEMORY + 1];

	put_kind("good");
	is(image_open(&image, file_path), 0, "the good image opens");
	is(image.segment_count, 2, "it has two segments");
	is(image.entry, ELF_TEXT, "its entry point");
	is(text->header, ELF_TEXT_HEADER, "text: program header");
	is(text->paddr, ELF_TEXT, "text: physical address");
	ok(!text->writable && text->executable, "text: flags");
	is(data->header, ELF_DATA_HEADER, "data: program header");
	is(data->paddr, ELF_DATA, "data: physical address");
	is(data->memory_size, ELF_DATA_MEMORY, "data: memory size");
	is(data->file_size, 0x20, "data: file size");
	ok(data->writable && !data->executable, "data: flags");

	memset(memory, 0x55, sizeof memory);
	is(image_load_segment(&image, data, memory), 0, "data loads");
	is(memory[0], 0xda, "data: first byte");
	is(memory[0x1f], 0xda, "data: last byte of the file");
	is(memory[0x20], 0x55, "data: memory past the file size is not touched");

	put_file("", 0);
	capture_begin();
	is(-image_load_segment(&image, data, memory), EIO,
		"a file that shrinks after it was opened is an error");
	ok(strstr(capture_end(), "program header 1: 0x0 bytes of 0x20 could be read"),
		"... and says so");
	image_free(&image);

	put_kind("descending");
	is(image_open(&image, file_path), 0, "segments in descending order open");
	is(text->header, 1, "... and are sorted by physical address");
	image_free(&image);

	put_kind("empty-segment");
	is(image_open(&image, file_path), 0, "an image with an empty segment opens");
	is(image.segment_count, 1, "... which is left out");
	image_free(&image);
}

static void expect_symbol(struct image *image, uint32_t address, const char *expected,
	uint32_t expected_offset, const char *name)
{
	uint32_t offset = 0;
	const char *symbol = image_symbol(image, address, &offset);

	if (!expected)
		ok(symbol == NULL, "0x%x: %s", address, name);
	else
		ok(symbol && strcmp(symbol, expected) == 0 && offset == expected_offset,
			"0x%x is %s+0x%x: %s", address, expected, expected_offset, name);
	if (symbol && (!expected || strcmp(symbol, expected) != 0))
		printf("# got %s+0x%x\n", symbol, offset);
}

static void test_symbols(void)
{
	static const char *const without[] = {"stripped", "short-sections"};
	struct image image;

	put_kind("good");
	is(image_open(&image, file_path), 0, "an image with symbols opens");
	expect_symbol(&image, ELF_TEXT, "start", 0, "a function's first byte");
	expect_symbol(&image, ELF_TEXT + 5, "start", 5, "a function before a label inside it");
	expect_symbol(&image, ELF_TEXT + 6, "inside", 1, "past functions, the nearest before");
	expect_symbol(&image, ELF_TEXT + 0x1f, "global", 0xf,
		"global before local and typed before label");
	expect_symbol(&image, ELF_TEXT + 0x2c, "global", 0x1c,
		"neither absolute nor undefined symbols, nor files or sections");
	expect_symbol(&image, ELF_TEXT + 0x32, "global", 0x22, "no name with escape sequences");
	expect_symbol(&image, ELF_TEXT + 0x40, NULL, 0, "past the segment");
	expect_symbol(&image, ELF_TEXT - 1, NULL, 0, "before the segment");
	expect_symbol(&image, ELF_DATA, NULL, 0, "no symbol of another segment");
	expect_symbol(&image, ELF_DATA + 0x1ff, "buffer", 0xff, "the last byte of an object");
	image_free(&image);

	put_kind("higher-half");
	is(image_open(&image, file_path), 0, "an image with other virtual addresses opens");
	expect_symbol(&image, ELF_TEXT + 3, NULL, 0, "physical: symbols are not there");
	image_free(&image);

	for (unsigned i = 0; i < 2; i++) {
		put_kind(without[i]);
		is(image_open(&image, file_path), 0, "%s: opens", without[i]);
		expect_symbol(&image, ELF_TEXT, NULL, 0, without[i]);
		image_free(&image);
	}

	image = IMAGE_EMPTY;
	expect_symbol(&image, ELF_TEXT, NULL, 0, "an empty image");
	image_free(&image);
}

/* A kernel linked at 3 GiB and loaded at 1 MiB: its symbols are virtual addresses. */
static void test_symbols_of_higher_half(void)
{
	struct elf_file file;
	struct image image;

	elf_make(&file, elf_kind_find("higher-half"));
	for (unsigned i = 1; i < sizeof file.symbols / sizeof *file.symbols; i++)
		file.symbols[i].st_value += 0xc0000000;
	put_file(&file, file.len);
	is(image_open(&image, file_path), 0, "a higher-half kernel opens");
	expect_symbol(&image, 0xc0000000 + ELF_TEXT + 3, "start", 3, "by virtual address");
	expect_symbol(&image, ELF_TEXT + 3, "start", 3, "by physical address");
	expect_symbol(&image, 0xc0000000 + ELF_DATA + 0x101, "buffer", 1, "of the other segment");
	image_free(&image);
}

/* --- hostile files ---------------------------------------------------------------------------- */

/* xorshift64: the same sequence every time. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/*
 * Open what is in the file and use it as `vole run` would, then look up addresses. Whether all of
 * that went as promised: a sound image or one message.
 */
static bool survives(void)
{
	struct image image;
	bool fine;

	capture_begin();
	if (image_open(&image, file_path) == 0)
		fine = image_is_sound(&image) && load_all(&image) == 0;
	else
		fine = capture_lines(capture_end()) == 1;
	capture_end();
	for (unsigned i = 0; i < image.segment_count; i++) {
		const struct image_segment *segment = &image.segments[i];
		const char *symbol;
		uint32_t offset;

		symbol = image_symbol(&image, segment->vaddr + segment->memory_size - 1, &offset);
		fine = fine && (!symbol || *symbol);
		image_symbol(&image, segment->paddr, &offset);
	}
	image_free(&image);
	return fine;
}

static void test_truncations(void)
{
	struct elf_file file;
	unsigned wrong = 0;

	elf_make(&file, &elf_kinds[0]);
	for (size_t len = 0; len <= file.len; len++) {
		put_file(&file, len);
		wrong += !survives();
	}
	is(wrong, 0, "the good image cut off at each of its bytes: loaded or refused with a word");
}

static void test_changed_bytes(void)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	struct elf_file file;
	unsigned wrong = 0;

	elf_make(&file, &elf_kinds[0]);
	put_file(&file, file.len);
	for (uint32_t at = 0; at < file.len; at++) {
		uint8_t *byte = (uint8_t *)&file + at, saved = *byte;

		for (unsigned i = 0; i < sizeof values; i++) {
			*byte = values[i];
			put_file(&file, file.len);
			wrong += !survives();
		}
		*byte = saved;
	}
	is(wrong, 0, "each byte of the good image set to five values: loaded or refused");
}

/* Several bytes at once, mostly in the headers, tables and symbols. */
static void test_random_changes(void)
{
	uint64_t state = 0x766f6c65;
	unsigned wrong = 0, loaded = 0;

	for (unsigned round = 0; round < 5000; round++) {
		unsigned changes = 1 + next_random(&state) % 6;
		struct image image;
		struct elf_file file;

		elf_make(&file, &elf_kinds[0]);
		for (unsigned i = 0; i < changes; i++) {
			uint64_t where = next_random(&state);
			uint32_t at = where % 2 ? (where >> 8) % 148 : (where >> 8) % ELF_FILE_LEN;

			((uint8_t *)&file)[at] ^= 1 << next_random(&state) % 8;
		}
		put_file(&file, file.len);
		wrong += !survives();
		capture_begin();
		loaded += image_open(&image, file_path) == 0;
		capture_end();
		image_free(&image);
	}
	is(wrong, 0, "5000 images with up to 6 flipped bits: loaded or refused");
	ok(loaded > 500 && loaded < 4500, "... %u of them loaded", loaded);
}

int main(void)
{
	file_fd = memfd_create("elf", MFD_CLOEXEC);
	snprintf(file_path, sizeof file_path, "/proc/self/fd/%d", file_fd);

	test_kinds();
	test_not_files();
	test_good();
	test_symbols();
	test_symbols_of_higher_half();
	test_truncations();
	test_changed_bytes();
	test_random_changes();
	close(file_fd);
	return tap_done();
}
