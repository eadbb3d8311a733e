/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/json.h"

#include <inttypes.h>

/* --- text ------------------------------------------------------------------------------------- */

/* Returns how many bytes the UTF-8 character at text has, 1 to 4; 0: there is none (RFC 3629, 4).
 * Text ends with a NUL, which continues no character. */
static unsigned utf8_length(const unsigned char *text)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	unsigned length;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf4)
		high = 0x8f;
	for (unsigned i = 1; i < length; i++, low = 0x80, high = 0xbf)
		if (text[i] < low || text[i] > high)
			return 0;
	return length;
}

static void write_text(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	fputc('"', file);
	while (*at) {
		unsigned length = utf8_length(at);

		if (length == 0)
			fputs("\\ufffd", file);
		else if (*at < 0x20 || *at == 0x7f || *at == '<')
			fprintf(file, "\\u%04x", *at);
		else if (*at == '"' || *at == '\\')
			fprintf(file, "\\%c", *at);
		else
			fwrite(at, 1, length, file);
		at += length ? length : 1;
	}
	fputc('"', file);
}

/* --- values ----------------------------------------------------------------------------------- */

static void next_line(const struct json *json)
{
	fprintf(json->file, "\n%*s", 2 * (int)json->depth, "");
}

static void begin_value(struct json *json, const char *name)
{
	if (json->has_values)
		fputs(json->one_line ? ", " : ",", json->file);
	if (json->depth > 0 && !json->one_line)
		next_line(json);
	json->has_values = true;
	if (!name)
		return;
	write_text(json->file, name);
	fputs(": ", json->file);
}

static void begin(struct json *json, const char *name, char bracket, bool one_line)
{
	begin_value(json, name);
	fputc(bracket, json->file);
	json->depth++;
	if (json->one_line || one_line)
		json->one_line++;
	json->has_values = false;
}

static void end(struct json *json, char bracket)
{
	bool is_empty = !json->has_values;

	json->depth--;
	if (json->one_line)
		json->one_line--;
	else if (!is_empty)
		next_line(json);
	fputc(bracket, json->file);
	if (json->depth == 0)
		fputc('\n', json->file);
	json->has_values = true;
}

void json_begin_object(struct json *json, const char *name, bool one_line)
{
	begin(json, name, '{', one_line);
}

void json_end_object(struct json *json)
{
	end(json, '}');
}

void json_begin_array(struct json *json, const char *name, bool one_line)
{
	begin(json, name, '[', one_line);
}

void json_end_array(struct json *json)
{
	end(json, ']');
}

void json_uint(struct json *json, const char *name, uint64_t value)
{
	begin_value(json, name);
	fprintf(json->file, "%" PRIu64, value);
}

void json_null(struct json *json, const char *name)
{
	begin_value(json, name);
	fputs("null", json->file);
}

void json_string(struct json *json, const char *name, const char *text)
{
	if (!text) {
		json_null(json, name);
		return;
	}
	begin_value(json, name);
	write_text(json->file, text);
}

void json_hex(struct json *json, const char *name, uint64_t value, int digits)
{
	char text[24];

	snprintf(text, sizeof text, "0x%0*" PRIx64, digits, value);
	json_string(json, name, text);
}

void json_bytes(struct json *json, const char *name, const uint8_t *bytes, size_t len)
{
	begin_value(json, name);
	fputc('"', json->file);
	for (size_t i = 0; i < len; i++)
		fprintf(json->file, "%02x", bytes[i]);
	fputc('"', json->file);
}
