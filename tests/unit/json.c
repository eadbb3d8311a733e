/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/json.h"

#include <stdlib.h>
#include <string.h>

#include "../tap.h"

static char *text;
static size_t len;

static struct json begin(void)
{
	free(text);
	text = NULL;
	return (struct json){.file = open_memstream(&text, &len)};
}

/* Ends the text. Returns whether it is the expected one. */
static bool wrote(struct json *json, const char *expected)
{
	return fclose(json->file) == 0 && strcmp(text, expected) == 0;
}

static void test_text(void)
{
	static const struct {
		const char *text, *json, *what;
	} cases[] = {
		{"a\"b\\c", "\"a\\\"b\\\\c\"", "quotation mark and backslash"},
		{"\x01\n\x1f\x7f", "\"\\u0001\\u000a\\u001f\\u007f\"", "control characters"},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
			"UTF-8 stays"},
		{"\xff", "\"\\ufffd\"", "a byte that begins no character"},
		{"\x80", "\"\\ufffd\"", "a byte that continues none"},
		{"\xc3", "\"\\ufffd\"", "a character that is cut off"},
		{"\xc0\xaf", "\"\\ufffd\\ufffd\"", "an overlong form"},
		{"\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\"", "an overlong form of three bytes"},
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", "a surrogate"},
		{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"", "beyond U+10FFFF"},
		{"", "\"\"", "nothing"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json json = begin();

		json_string(&json, NULL, cases[i].text);
		ok(wrote(&json, cases[i].json), "text: %s", cases[i].what);
	}
}

static void test_values(void)
{
	struct json json = begin();

	json_begin_object(&json, NULL, false);
	json_uint(&json, "number", UINT64_MAX);
	json_null(&json, "none");
	json_string(&json, "no text", NULL);
	json_hex(&json, "address", 0x1c, 8);
	json_begin_array(&json, "empty", false);
	json_end_array(&json);
	json_begin_array(&json, "line", true);
	json_uint(&json, NULL, 1);
	json_begin_object(&json, NULL, false);
	json_uint(&json, "b", 2);
	json_end_object(&json);
	json_end_array(&json);
	json_begin_object(&json, "c", false);
	json_uint(&json, "d", 3);
	json_end_object(&json);
	json_end_object(&json);
	ok(wrote(&json, "{\n"
			"  \"number\": 18446744073709551615,\n"
			"  \"none\": null,\n"
			"  \"no text\": null,\n"
			"  \"address\": \"0x0000001c\",\n"
			"  \"empty\": [],\n"
			"  \"line\": [1, {\"b\": 2}],\n"
			"  \"c\": {\n"
			"    \"d\": 3\n"
			"  }\n"
			"}\n"),
		"values, arrays and objects, a line each");
}

int main(void)
{
	test_text();
	test_values();
	free(text);
	return tap_done();
}
