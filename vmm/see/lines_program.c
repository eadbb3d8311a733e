/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/lines_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* --- reading ---------------------------------------------------------------------------------- */

/* What is left of a part of a section. What goes beyond its end reads as 0, and sets failed. */
struct reader {
	const uint8_t *at, *end;
	bool is_64; /* offsets have 64 bits (DWARF 5, 7.4) */
	bool failed;
};

static const uint8_t *take(struct reader *reader, uint64_t len)
{
	const uint8_t *at = reader->at;

	if (len > (uint64_t)(reader->end - reader->at)) {
		reader->failed = true;
		reader->at = reader->end;
		return NULL;
	}
	reader->at += len;
	return at;
}

/* A little-endian number of so many bytes. */
static uint64_t number(struct reader *reader, unsigned len)
{
	const uint8_t *bytes = take(reader, len);
	uint64_t value = 0;

	for (unsigned i = 0; bytes && i < len && i < 8; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static uint64_t offset(struct reader *reader)
{
	return number(reader, reader->is_64 ? 8 : 4);
}

/* LEB128 (DWARF 5, 7.6). */
static uint64_t leb(struct reader *reader, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)number(reader, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= UINT64_MAX << shift;
	return value;
}

static const char *string(struct reader *reader)
{
	const uint8_t *start = reader->at;
	const uint8_t *end = memchr(start, 0, (size_t)(reader->end - start));

	if (!end) {
		reader->failed = true;
		reader->at = reader->end;
		return "";
	}
	reader->at = end + 1;
	return (const char *)start;
}

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
	struct reader reader; /* its unit */
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

/* The index of a path in lines->files. Files are few, and mostly the last ones come again. */
static uint32_t intern(struct program *program, const char *path)
{
	struct lines *lines = program->lines;
	char **grown;

	for (unsigned i = lines->file_count; i > 0; i--)
		if (strcmp(lines->files[i - 1], path) == 0)
			return i - 1;
	if (lines->file_count == LINES_FILES_MAX)
		return lines->file_count - 1;
	grown = realloc(lines->files, (lines->file_count + 1) * sizeof *grown);
	if (grown)
		lines->files = grown;
	if (!grown || !(grown[lines->file_count] = strdup(path))) {
		program->error = -ENOMEM;
		return 0;
	}
	return lines->file_count++;
}

static void add_directory(struct program *program, const char *name)
{
	const char **grown;

	if (program->directory_count == LINES_FILES_MAX)
		return;
	grown = realloc(program->directories, (program->directory_count + 1) * sizeof *grown);
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
	grown = realloc(program->files, (program->file_count + 1) * sizeof *grown);
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
	struct reader *reader = &program->reader;
	const char *name;

	add_directory(program, "");
	while (program->error == 0 && *(name = string(reader)))
		add_directory(program, name);
	add_file(program, "", 0);
	while (program->error == 0 && *(name = string(reader))) {
		uint64_t directory = leb(reader, false);

		leb(reader, false);
		leb(reader, false);
		add_file(program, name, directory);
	}
}

/* A value of an entry: a string, or a number; others are skipped. */
static void read_form(struct program *program, uint64_t form, const char **text, uint64_t *value)
{
	struct reader *reader = &program->reader;

	switch (form) {
	case FORM_STRING:
		*text = string(reader);
		break;
	case FORM_LINE_STRP:
		*text = string_at(&program->sections->line_str, offset(reader));
		break;
	case FORM_STRP:
		*text = string_at(&program->sections->str, offset(reader));
		break;
	case FORM_UDATA:
		*value = leb(reader, false);
		break;
	case FORM_DATA1:
		*value = number(reader, 1);
		break;
	case FORM_DATA2:
		*value = number(reader, 2);
		break;
	case FORM_DATA4:
		*value = number(reader, 4);
		break;
	case FORM_DATA8:
		*value = number(reader, 8);
		break;
	case FORM_DATA16:
		take(reader, 16);
		break;
	case FORM_BLOCK:
		take(reader, leb(reader, false));
		break;
	case FORM_BLOCK1:
		take(reader, number(reader, 1));
		break;
	default:
		reader->failed = true;
	}
}

/* Version 5: a table of entries, whose format comes first (DWARF 5, 6.2.4.1). */
static void read_table_5(struct program *program, bool is_file)
{
	struct reader *reader = &program->reader;
	unsigned formats = (unsigned)number(reader, 1);
	struct reader format = *reader;
	uint64_t count;

	for (unsigned i = 0; i < 2 * formats; i++)
		leb(reader, false);
	count = leb(reader, false);
	while (count-- > 0 && !reader->failed && program->error == 0 && formats > 0) {
		struct reader each = format;
		const char *name = "", *text = "";
		uint64_t directory = 0, value = 0;

		for (unsigned i = 0; i < formats; i++) {
			uint64_t content = leb(&each, false);

			read_form(program, leb(&each, false), &text, &value);
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
	struct reader *reader = &program->reader;
	const uint8_t *start;
	uint64_t header;

	program->version = (unsigned)number(reader, 2);
	if (program->version < 2 || program->version > 5)
		return false;
	if (program->version == 5)
		take(reader, 2);
	header = offset(reader);
	if (header > (uint64_t)(reader->end - reader->at))
		return false;
	start = reader->at + header;
	program->instruction_min = (unsigned)number(reader, 1);
	if (program->version >= 4)
		take(reader, 1);
	program->is_statement_first = number(reader, 1) != 0;
	program->line_base = (int8_t)number(reader, 1);
	program->line_range = (uint8_t)number(reader, 1);
	program->opcode_base = (uint8_t)number(reader, 1);
	if (program->opcode_base == 0 || program->line_range == 0)
		return false;
	program->operands = take(reader, program->opcode_base - 1u);
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

	if (lines->row_count == lines->row_room) {
		size_t room = lines->row_room ? 2 * lines->row_room : 4096;
		struct lines_row *grown = realloc(lines->rows, room * sizeof *grown);

		if (!grown || room > LINES_ROWS_MAX) {
			program->error = -ENOMEM;
			lines->rows = grown ? grown : lines->rows;
			return;
		}
		lines->rows = grown;
		lines->row_room = room;
	}
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
	struct reader *reader = &program->reader;
	uint64_t len = leb(reader, false);
	const uint8_t *bytes = take(reader, len);
	struct reader inside = {.at = bytes, .end = bytes ? bytes + len : bytes};

	if (!bytes || len == 0)
		return;
	switch (number(&inside, 1)) {
	case END_SEQUENCE:
		end_sequence(program, state);
		break;
	case SET_ADDRESS:
		state->address = number(&inside, (unsigned)(len - 1 < 8 ? len - 1 : 8));
		break;
	}
}

static void execute_standard(struct program *program, struct state *state, unsigned opcode)
{
	struct reader *reader = &program->reader;

	switch (opcode) {
	case COPY:
		add_row(program, state, false);
		break;
	case ADVANCE_PC:
		state->address += leb(reader, false) * program->instruction_min;
		break;
	case ADVANCE_LINE:
		state->line += (uint32_t)leb(reader, true);
		break;
	case SET_FILE:
		state->file = leb(reader, false);
		break;
	case NEGATE_STMT:
		state->is_statement = !state->is_statement;
		break;
	case CONST_ADD_PC:
		state->address += (255u - program->opcode_base) / program->line_range *
				  program->instruction_min;
		break;
	case FIXED_ADVANCE_PC:
		state->address += number(reader, 2);
		break;
	default:
		/* Whatever it is, its operands are numbers. */
		for (unsigned i = 0; i < program->operands[opcode - 1]; i++)
			leb(reader, false);
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
	struct reader *reader = &program->reader;
	struct state state;

	begin_sequence(program, &state);
	while (reader->at < reader->end && !reader->failed && program->error == 0) {
		unsigned opcode = (unsigned)number(reader, 1);

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
static bool next_unit(struct reader *section, struct reader *unit)
{
	uint64_t len = number(section, 4);
	bool is_64 = len == 0xffffffff;
	const uint8_t *at;

	if (is_64)
		len = number(section, 8);
	at = take(section, len);
	if (section->failed || !at)
		return false;
	*unit = (struct reader){.at = at, .end = at + len, .is_64 = is_64};
	return true;
}

int lines_run_programs(struct lines *lines, const struct lines_sections *sections)
{
	struct reader section = {
		.at = sections->line.bytes, .end = sections->line.bytes + sections->line.size};
	struct program program = {.error = 0};
	struct reader unit;

	while (program.error == 0 && section.at < section.end && next_unit(&section, &unit)) {
		program = (struct program){.sections = sections, .lines = lines, .reader = unit};
		if (read_header(&program))
			execute(&program);
		free(program.directories);
		free(program.files);
	}
	return program.error;
}
