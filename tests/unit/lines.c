/* SPDX-License-Identifier: BSD-2-Clause */
/* Line programs that this program makes up: of each version, and damaged ones. */
#include "see/lines_program.h"

#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "see/lines.h"

#define BASE 0x100000u
#define UNIT 512

/* A unit that is being made. */
static uint8_t unit[UNIT];
static size_t len, header_at;

static void byte(unsigned value)
{
	unit[len++] = (uint8_t)value;
}

static void bytes(const char *text, size_t count)
{
	memcpy(unit + len, text, count);
	len += count;
}

static void word(uint32_t value)
{
	memcpy(unit + len, &value, sizeof value);
	len += sizeof value;
}

/* Begins a unit of a version: its header, up to the names. */
static void begin(unsigned version)
{
	len = 0;
	word(0);
	byte(version);
	byte(0);
	if (version == 5)
		bytes("\x04\x00", 2);
	header_at = len;
	word(0);
	byte(1); /* shortest instruction */
	if (version >= 4)
		byte(1);
	byte(1);    /* is_stmt */
	byte(0xfd); /* line base -3 */
	byte(12);   /* line range */
	byte(13);   /* opcode base */
	bytes("\0\1\1\1\1\0\0\0\1\0\0\1", 12);
}

/* Ends the header; then the unit. */
static void end_header(void)
{
	uint32_t size = (uint32_t)(len - header_at - 4);

	memcpy(unit + header_at, &size, sizeof size);
}

static void end(void)
{
	uint32_t size = (uint32_t)(len - 4);

	memcpy(unit, &size, sizeof size);
}

/* Versions 2 to 4: two folders and two files. */
static void names_4(void)
{
	bytes("one\0/two\0\0", 10);
	bytes("a.c\0\1\0\0", 7);
	bytes("b.c\0\2\0\0\0", 8);
}

/* Version 5: the same, by line strings, with a checksum that is skipped. */
static void names_5(void)
{
	bytes("\1\1\x1f\3", 4);
	word(0);
	word(5);
	word(9);
	bytes("\3\1\x1f\2\x0b\5\x1e\2", 8);
	word(14);
	byte(1);
	bytes("0123456789abcdef", 16);
	word(18);
	byte(2);
	bytes("0123456789abcdef", 16);
}
static const char line_strings[] = "/top\0one\0/two\0a.c\0b.c";

/* Line 10 at BASE, line 12 of the other file at BASE + 4, an end at BASE + 9. */
static void program(unsigned other_file)
{
	bytes("\0\5\2", 3);
	word(BASE);
	bytes("\3\x09\1", 3); /* advance_line 9, copy */
	byte(4);
	byte(other_file);
	byte(13 + 4 * 12 + 3 + 2); /* special: 4 bytes on, 2 lines on */
	bytes("\2\5\0\1\1", 5);    /* advance_pc 5, end_sequence */
}

static void run(struct lines *lines)
{
	const struct lines_sections sections = {
		.line = {unit, len},
		.line_str = {(const uint8_t *)line_strings, sizeof line_strings},
	};

	*lines = LINES_EMPTY;
	is(lines_run_programs(lines, &sections), 0, "it is executed");
}

static bool is_row(const struct lines *lines, size_t i, uint64_t address, const char *file,
	uint32_t line, bool is_end)
{
	const struct lines_row *row = &lines->rows[i];

	return i < lines->row_count && row->address == address && row->is_end == is_end &&
	       (is_end || (row->line == line && row->is_statement &&
				  strcmp(lines->files[row->file], file) == 0));
}

static void test_versions(void)
{
	static const char *const names[] = {"DWARF 2: ", "DWARF 3: ", "DWARF 4: ", "DWARF 5: "};

	for (unsigned version = 2; version <= 5; version++) {
		bool is_5 = version == 5;
		struct lines lines;

		tap_prefix(names[version - 2]);
		begin(version);
		if (is_5)
			names_5();
		else
			names_4();
		end_header();
		/* Files of version 5 count from 0, and a sequence begins with file 1 all the
		 * same. */
		program(is_5 ? 0 : 2);
		end();
		run(&lines);
		is(lines.row_count, 3, "three rows");
		ok(is_row(&lines, 0, BASE, is_5 ? "/two/b.c" : "one/a.c", 10, false), "the first");
		ok(is_row(&lines, 1, BASE + 4, is_5 ? "/top/one/a.c" : "/two/b.c", 12, false),
			"the second");
		ok(is_row(&lines, 2, BASE + 9, NULL, 0, true), "the end");
		ok(lines_find(&lines, BASE + 3) == &lines.rows[0] &&
				lines_find(&lines, BASE + 8) == &lines.rows[1] &&
				!lines_find(&lines, BASE + 9) && !lines_find(&lines, BASE - 1),
			"addresses are found");
		lines_free(&lines);
	}
	tap_prefix("");
}

/* What a linker has dropped, and what does not end. */
static void test_sequences(void)
{
	struct lines lines;

	begin(4);
	names_4();
	end_header();
	bytes("\0\5\2\0\0\0\0\1\2\5\0\1\1", 13);
	program(1);
	bytes("\0\5\2\0\0\x20\0\1", 8);
	end();
	run(&lines);
	ok(lines.row_count == 3 && lines.rows[0].address == BASE,
		"a sequence at address 0 is left out, and so is one without an end");
	lines_free(&lines);
}

/* Each prefix of a unit, and each byte of it replaced: there is an end, and no more rows than
 * bytes. The copy ends where its memory does, for the address sanitizer. */
static void try(const uint8_t *from, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	const struct lines_sections sections = {
		.line = {copy, size}, .line_str = {(const uint8_t *)line_strings, 6}};
	struct lines lines = LINES_EMPTY;
	static unsigned bad;

	memcpy(copy, from, size);
	bad += lines_run_programs(&lines, &sections) < 0 || lines.row_count > 3 * UNIT;
	lines_free(&lines);
	free(copy);
	if (bad)
		ok(!bad, "a damaged program");
}

static void test_damage(unsigned version)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	uint8_t damaged[UNIT];

	begin(version);
	if (version == 5)
		names_5();
	else
		names_4();
	end_header();
	program(1);
	end();
	for (size_t size = 0; size <= len; size++)
		try(unit, size);
	for (size_t at = 0; at < len; at++) {
		for (unsigned i = 0; i < sizeof values; i++) {
			memcpy(damaged, unit, len);
			damaged[at] = values[i];
			try(damaged, len);
		}
	}
	ok(true, "DWARF %u: damaged programs have an end", version);
}

int main(void)
{
	test_versions();
	test_sequences();
	test_damage(2);
	test_damage(4);
	test_damage(5);
	return tap_done();
}
