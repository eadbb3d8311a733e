/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/lines_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "see/dwarf_reader.h"
#include "see/grow.h"

#define PATH_LEN 1024

/* Standard and extended opcodes (DWARF 5, 7.22). */
enum { COPY = 1, ADVANCE_PC, ADVANCE_LINE, SET_FILE, SET_COLUMN, NEGATE_STMT, SET_BASIC_BLOCK };
enum { CONST_ADD_PC = 8, FIXED_ADVANCE_PC };
enum { END_SEQUENCE = 1, SET_ADDRESS };

/* Content types, and forms of entries (DWARF 5, 7.22, 7.5.6). */
enum { CONTENT_PATH = 1, CONTENT_DIRECTORY = 2 };
enum {
	FORM_DATA2 = 0x05,
	FORM_DATA4 = 0x06,
	FORM_DATA8 = 0x07,
	FORM_STRING = 0x08,
	FORM_BLOCK = 0x09,
	FORM_BLOCK1 = 0x0a,
	FORM_DATA1 = 0x0b,
	FORM_STRP = 0x0e,
	FORM_UDATA = 0x0f,
	FORM_DATA16 = 0x1e,
	FORM_LINE_STRP = 0x1f,
};

/* The string at an offset of a section; "" if there is none. */
static const char *string_at(const struct lines_section *section, uint64_t at)
{
	if (!section->bytes || at >= section->size ||
		!memchr(section->bytes + at, 0, section->size - at))
		return "";
	return (const char *)section->bytes + at;
}

/* --- a program -------------------------------------------------------------------------------- */

struct program {
	const struct lines_sections *sections;
	struct lines *lines;
	struct dwarf_reader reader; /* its unit */
	unsigned version;
	unsigned instruction_min;
	bool is_statement_first;
	int8_t line_base;
	uint8_t line_range, opcode_base;
	const uint8_t *operands; /* of standard opcodes, from opcode 1 on */
	unsigned directory_count;
	const char **directories;
	unsigned file_count;
	uint32_t *files; /* as rows have them */
	int error;
};

/* FNV-1a. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261u;

	while (*text)
		value = (value ^ (uint8_t)*text++) * 16777619u;
	return value;
}

/* The place of a path in the hash table. */
static uint32_t *find_file(const struct lines *lines, const char *path)
{
	uint32_t at = hash(path) % LINES_FILE_TABLE;

	while (lines->file_table[at] != 0 &&
		strcmp(lines->files[lines->file_table[at] - 1], path) != 0)
		at = (at + 1) % LINES_FILE_TABLE;
	return &lines->file_table[at];
}

/* Returns the index of a path in lines->files, where it is added; the last one if there are too
 * many. */
static uint32_t intern(struct program *program, const char *path)
{
	struct lines *lines = program->lines;
	uint32_t *place;

	if (!lines->files) {
		lines->files = calloc(LINES_FILES_MAX, sizeof *lines->files);
		lines->file_table = calloc(LINES_FILE_TABLE, sizeof *lines->file_table);
	}
	if (!lines->files || !lines->file_table) {
		program->error = -ENOMEM;
		return 0;
	}
	place = find_file(lines, path);
	if (*place != 0)
		return *place - 1;
	if (lines->file_count == LINES_FILES_MAX)
		return lines->file_count - 1;
	lines->files[lines->file_count] = strdup(path);
	if (!lines->files[lines->file_count]) {
		program->error = -ENOMEM;
		return 0;
	}
	*place = ++lines->file_count;
	return *place - 1;
}

static void add_directory(struct program *program, const char *name)
{
	const char **grown;

	if (program->directory_count == LINES_FILES_MAX)
		return;
	grown = grow(program->directories, program->directory_count, sizeof *grown);
	if (!grown) {
		program->error = -ENOMEM;
		return;
	}
	program->directories = grown;
	grown[program->directory_count++] = name;
}

/* Adds a file: its path from the directory of compilation on, as far as that is known. */
static void add_file(struct program *program, const char *name, uint64_t directory)
{
	const char *in =
		directory < program->directory_count ? program->directories[directory] : "";
	const char *first = program->directory_count > 0 ? program->directories[0] : "";
	char path[PATH_LEN];
	uint32_t *grown;

	if (program->file_count == LINES_FILES_MAX)
		return;
	if (name[0] == '/' || in[0] == '\0')
		snprintf(path, sizeof path, "%s", name);
	else if (in[0] == '/' || directory == 0 || first[0] == '\0')
		snprintf(path, sizeof path, "%s/%s", in, name);
	else
		snprintf(path, sizeof path, "%s/%s/%s", first, in, name);
	grown = grow(program->files, program->file_count, sizeof *grown);
	if (!grown) {
		program->error = -ENOMEM;
		return;
	}
	program->files = grown;
	grown[program->file_count++] = intern(program, path);
}

/* Versions 2 to 4: lists that end with an empty name. Directory 0 is that of the compilation, which
 * .debug_info alone names, and files count from 1. */
static void read_names_4(struct program *program)
{
	struct dwarf_reader *reader = &program->reader;
	const char *name;

	add_directory(program, "");
	while (program->error == 0 && *(name = dwarf_string(reader)))
		add_directory(program, name);
	add_file(program, "", 0);
	while (program->error == 0 && *(name = dwarf_string(reader))) {
		uint64_t directory = dwarf_leb(reader, false);

		dwarf_leb(reader, false);
		dwarf_leb(reader, false);
		add_file(program, name, directory);
	}
}

/* A value of an entry: a string, or a number; others are skipped. */
static void read_form(struct program *program, uint64_t form, const char **text, uint64_t *value)
{
	struct dwarf_reader *reader = &program->reader;

	switch (form) {
	case FORM_STRING:
		*text = dwarf_string(reader);
		break;
	case FORM_LINE_STRP:
		*text = string_at(&program->sections->line_str, dwarf_offset(reader));
		break;
	case FORM_STRP:
		*text = string_at(&program->sections->str, dwarf_offset(reader));
		break;
	case FORM_UDATA:
		*value = dwarf_leb(reader, false);
		break;
	case FORM_DATA1:
		*value = dwarf_number(reader, 1);
		break;
	case FORM_DATA2:
		*value = dwarf_number(reader, 2);
		break;
	case FORM_DATA4:
		*value = dwarf_number(reader, 4);
		break;
	case FORM_DATA8:
		*value = dwarf_number(reader, 8);
		break;
	case FORM_DATA16:
		dwarf_take(reader, 16);
		break;
	case FORM_BLOCK:
		dwarf_take(reader, dwarf_leb(reader, false));
		break;
	case FORM_BLOCK1:
		dwarf_take(reader, dwarf_number(reader, 1));
		break;
	default:
		reader->failed = true;
	}
}

/* Version 5: a table of entries, whose format comes first (DWARF 5, 6.2.4.1). */
static void read_table_5(struct program *program, bool is_file)
{
	struct dwarf_reader *reader = &program->reader;
	unsigned formats = (unsigned)dwarf_number(reader, 1);
	struct dwarf_reader format = *reader;
	uint64_t count;

	for (unsigned i = 0; i < 2 * formats; i++)
		dwarf_leb(reader, false);
	count = dwarf_leb(reader, false);
	while (count-- > 0 && !reader->failed && program->error == 0 && formats > 0) {
		struct dwarf_reader each = format;
		const char *name = "", *text = "";
		uint64_t directory = 0, value = 0;

		for (unsigned i = 0; i < formats; i++) {
			uint64_t content = dwarf_leb(&each, false);

			read_form(program, dwarf_leb(&each, false), &text, &value);
			if (content == CONTENT_PATH)
				name = text;
			else if (content == CONTENT_DIRECTORY)
				directory = value;
		}
		if (is_file)
			add_file(program, name, directory);
		else
			add_directory(program, name);
	}
}

/* Reads the header of a unit. Returns false if it is damaged, or of a version that is not known. */
static bool read_header(struct program *program)
{
	struct dwarf_reader *reader = &program->reader;
	const uint8_t *start;
	uint64_t header;

	program->version = (unsigned)dwarf_number(reader, 2);
	if (program->version < 2 || program->version > 5)
		return false;
	if (program->version == 5)
		dwarf_take(reader, 2);
	header = dwarf_offset(reader);
	if (header > (uint64_t)(reader->end - reader->at))
		return false;
	start = reader->at + header;
	program->instruction_min = (unsigned)dwarf_number(reader, 1);
	if (program->version >= 4)
		dwarf_take(reader, 1);
	program->is_statement_first = dwarf_number(reader, 1) != 0;
	program->line_base = (int8_t)dwarf_number(reader, 1);
	program->line_range = (uint8_t)dwarf_number(reader, 1);
	program->opcode_base = (uint8_t)dwarf_number(reader, 1);
	if (program->opcode_base == 0 || program->line_range == 0)
		return false;
	program->operands = dwarf_take(reader, program->opcode_base - 1u);
	if (program->version == 5) {
		read_table_5(program, false);
		read_table_5(program, true);
	} else {
		read_names_4(program);
	}
	if (reader->failed || program->error < 0)
		return false;
	reader->at = start;
	return true;
}

/* --- its execution ---------------------------------------------------------------------------- */

/* The registers (DWARF 5, 6.2.2). */
struct state {
	uint64_t address, file;
	uint32_t line;
	bool is_statement;
	size_t first_row; /* of the sequence */
};

static void begin_sequence(const struct program *program, struct state *state)
{
	*state = (struct state){.file = 1,
		.line = 1,
		.is_statement = program->is_statement_first,
		.first_row = program->lines->row_count};
}

static void add_row(struct program *program, const struct state *state, bool is_end)
{
	struct lines *lines = program->lines;
	bool has_file = state->file < program->file_count;
	struct lines_row *grown = NULL;

	if (lines->row_count < LINES_ROWS_MAX)
		grown = grow(lines->rows, lines->row_count, sizeof *grown);
	if (!grown) {
		program->error = -ENOMEM;
		return;
	}
	lines->rows = grown;
	lines->rows[lines->row_count++] = (struct lines_row){
		.address = state->address,
		.file = has_file ? program->files[state->file] : 0,
		.line = has_file ? state->line : 0,
		.is_statement = state->is_statement,
		.is_end = is_end,
	};
}

/* A linker leaves the sequences of functions that it has dropped at address 0. */
static void end_sequence(struct program *program, struct state *state)
{
	struct lines *lines = program->lines;

	add_row(program, state, true);
	if (state->first_row < lines->row_count && lines->rows[state->first_row].address == 0)
		lines->row_count = state->first_row;
	begin_sequence(program, state);
}

static void execute_extended(struct program *program, struct state *state)
{
	struct dwarf_reader *reader = &program->reader;
	uint64_t len = dwarf_leb(reader, false);
	const uint8_t *bytes = dwarf_take(reader, len);
	struct dwarf_reader inside = {.at = bytes, .end = bytes ? bytes + len : bytes};

	if (!bytes || len == 0)
		return;
	switch (dwarf_number(&inside, 1)) {
	case END_SEQUENCE:
		end_sequence(program, state);
		break;
	case SET_ADDRESS:
		state->address = dwarf_number(&inside, (unsigned)(len - 1 < 8 ? len - 1 : 8));
		break;
	}
}

static void execute_standard(struct program *program, struct state *state, unsigned opcode)
{
	struct dwarf_reader *reader = &program->reader;

	switch (opcode) {
	case COPY:
		add_row(program, state, false);
		break;
	case ADVANCE_PC:
		state->address += dwarf_leb(reader, false) * program->instruction_min;
		break;
	case ADVANCE_LINE:
		state->line += (uint32_t)dwarf_leb(reader, true);
		break;
	case SET_FILE:
		state->file = dwarf_leb(reader, false);
		break;
	case NEGATE_STMT:
		state->is_statement = !state->is_statement;
		break;
	case CONST_ADD_PC:
		state->address += (255u - program->opcode_base) / program->line_range *
				  program->instruction_min;
		break;
	case FIXED_ADVANCE_PC:
		state->address += dwarf_number(reader, 2);
		break;
	default:
		/* Whatever it is, its operands are numbers. */
		for (unsigned i = 0; i < program->operands[opcode - 1]; i++)
			dwarf_leb(reader, false);
	}
}

static void execute_special(struct program *program, struct state *state, unsigned opcode)
{
	unsigned adjusted = opcode - program->opcode_base;

	state->address += adjusted / program->line_range * program->instruction_min;
	state->line += (uint32_t)(program->line_base + (int)(adjusted % program->line_range));
	add_row(program, state, false);
}

static void execute(struct program *program)
{
	struct dwarf_reader *reader = &program->reader;
	struct state state;

	begin_sequence(program, &state);
	while (reader->at < reader->end && !reader->failed && program->error == 0) {
		unsigned opcode = (unsigned)dwarf_number(reader, 1);

		if (opcode == 0)
			execute_extended(program, &state);
		else if (opcode < program->opcode_base)
			execute_standard(program, &state, opcode);
		else
			execute_special(program, &state, opcode);
	}
	/* Of a sequence without an end nobody knows how far it goes. */
	program->lines->row_count = state.first_row;
}

/* Takes the next unit from a section. Returns false at its end. */
static bool next_unit(struct dwarf_reader *section, struct dwarf_reader *unit)
{
	uint64_t len = dwarf_number(section, 4);
	bool is_64 = len == 0xffffffff;
	const uint8_t *at;

	if (is_64)
		len = dwarf_number(section, 8);
	at = dwarf_take(section, len);
	if (section->failed || !at)
		return false;
	*unit = (struct dwarf_reader){.at = at, .end = at + len, .is_64 = is_64};
	return true;
}

int lines_run_programs(struct lines *lines, const struct lines_sections *sections)
{
	struct dwarf_reader section = {
		.at = sections->line.bytes, .end = sections->line.bytes + sections->line.size};
	struct program program = {.error = 0};
	struct dwarf_reader unit;

	while (program.error == 0 && section.at < section.end && next_unit(&section, &unit)) {
		program = (struct program){.sections = sections, .lines = lines, .reader = unit};
		if (read_header(&program))
			execute(&program);
		free(program.directories);
		free(program.files);
	}
	return program.error;
}
