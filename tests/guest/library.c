/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the guest library that need no device: formatting, strings, numbers, pages. Exit
 * status 0. */

#include "check.h"
#include "memory.h"
#include "x86.h"

static char text[512];
static size_t text_len;

static void collect(void *ctx, const char *part, size_t len)
{
	(void)ctx;
	memcpy(text + text_len, part, len);
	text_len += len;
	text[text_len] = '\0';
}

/* What printf() makes of it. */
#define check_format(expected, ...)                                                     \
	do {                                                                            \
		text_len = 0;                                                           \
		printf_to(collect, NULL);                                               \
		printf(__VA_ARGS__);                                                    \
		printf_to(NULL, NULL);                                                  \
		check(strcmp(text, expected) == 0, "\"%s\" is \"%s\"", text, expected); \
	} while (0)

static void check_printf(void)
{
	check_format("a 100% b", "%c 100%% %s", 'a', "b");
	check_format("0 -1 2147483647 -2147483648", "%d %d %d %d", 0, -1, INT32_MAX, INT32_MIN);
	check_format("4294967295 ffffffff", "%u %x", UINT32_MAX, UINT32_MAX);
	check_format("18446744073709551615", "%llu", UINT64_MAX);
	check_format("-9223372036854775808", "%lld", INT64_MIN);
	check_format("fedcba9876543210", "%llx", UINT64_C(0xfedcba9876543210));
	check_format("10000000000", "%llu", UINT64_C(10000000000));
	check_format(
		"[   7][7   ][0007][-007][  -7]", "[%4d][%-4d][%04d][%04d][%4d]", 7, 7, 7, -7, -7);
	check_format("[  ab][ab  ][abcde]", "[%4s][%-4s][%4s]", "ab", "ab", "abcde");
	check_format("00001234", "%p", (void *)0x1234);

	/* Longer than one hand-over. */
	text_len = 0;
	printf_to(collect, NULL);
	printf("%300d", 1);
	printf_to(NULL, NULL);
	check(text_len == 300 && text[299] == '1' && text[0] == ' ', "300 characters");
}

static void check_strings(void)
{
	char a[] = "0123456789abcdef", b[17];

	check(memcpy(b, a, 17) == b && strcmp(a, b) == 0, "memcpy");
	check(memset(b + 1, 'x', 7) == b + 1 && strcmp(b, "0xxxxxxx89abcdef") == 0, "memset");
	check(memmove(a + 3, a, 10) == a + 3 && strcmp(a, "0120123456789def") == 0, "memmove up");
	check(memmove(a, a + 3, 10) == a && strcmp(a, "0123456789789def") == 0, "memmove down");
	memmove(a, a + 1, 0);
	check(strcmp(a, "0123456789789def") == 0, "nothing is moved");
	check(memcmp("ab\xff", "ab\x01", 3) > 0 && memcmp("abc", "abd", 2) == 0, "memcmp");
	check(strcmp("a", "ab") < 0 && strcmp("b", "ab") > 0 && strlen("") == 0, "strcmp, strlen");
}

/* The number in text, or 12345. */
static uint32_t parse(const char *number)
{
	uint32_t value;

	return parse_number(number, &value, NULL) ? value : 12345;
}

static void check_numbers(void)
{
	const char *rest;
	uint32_t value;
	uint64_t dividend = UINT64_C(0xfedcba9876543210);

	check(parse("0") == 0 && parse("4294967295") == UINT32_MAX && parse(" 7 ") == 7, "decimal");
	check(parse("0x0") == 0 && parse("0xFfffffff") == UINT32_MAX, "hexadecimal");
	check(parse("") == 12345 && parse("-1") == 12345 && parse("7x") == 12345, "no number");
	check(parse("4294967296") == 12345 && parse("0x") == 12345 && parse("a") == 12345,
		"no number either");
	check(parse("99999999999999999999999999") == 12345, "far too large");
	check(parse_number("5  some text", &value, &rest) && strcmp(rest, "some text") == 0,
		"what follows");
	check(divide64(&dividend, 1000000007) == 939755815, "remainder of 64 bits");
	check(dividend == UINT64_C(18364758415), "quotient of 64 bits");
}

int main(const struct start_info *info)
{
	uint8_t *page = pages_take(1), *below = pages_take(2);

	(void)info;
	check_printf();
	check_strings();
	check_numbers();
	check(page && below + 2 * PAGE_SIZE == page, "pages are adjacent");
	check((uint32_t)page % PAGE_SIZE == 0, "and aligned");
	check(!pages_take(UINT32_MAX) && !pages_take(1u << 20), "there are not that many");
	return check_done();
}
