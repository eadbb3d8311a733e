/* SPDX-License-Identifier: BSD-2-Clause */
#include "printf.h"

#include <stdbool.h>
#include <stdint.h>

#include <vole/ports.h>

#include "spinlock.h"
#include "string.h"
#include "x86.h"

/* Text on its way: handed on when it is full, and at the end, since each hand-over costs a virtio
 * request. */
struct output {
	void (*write)(void *ctx, const char *text, size_t len);
	void *ctx;
	size_t len;
	char text[128];
};

/* One conversion of the format. */
struct conversion {
	bool left, zero, wide; /* flags - and 0, length ll */
	size_t width;
};

static struct spinlock lock;
static void (*write)(void *ctx, const char *text, size_t len) = debug_write;
static void *write_ctx;

void debug_write(void *unused, const char *text, size_t len)
{
	(void)unused;
	out8_string(VOLE_PORT_DEBUG, text, len);
}

void printf_to(void (*to)(void *ctx, const char *text, size_t len), void *ctx)
{
	spin_lock(&lock);
	write = to ? to : debug_write;
	write_ctx = ctx;
	spin_unlock(&lock);
}

void printf_emergency(void)
{
	write = debug_write;
	spin_unlock(&lock);
}

static void flush(struct output *out)
{
	if (out->len)
		out->write(out->ctx, out->text, out->len);
	out->len = 0;
}

static void put(struct output *out, char c)
{
	if (out->len == sizeof(out->text))
		flush(out);
	out->text[out->len++] = c;
}

static void put_padded(
	struct output *out, const struct conversion *conv, const char *text, size_t len)
{
	size_t padding = len < conv->width ? conv->width - len : 0;

	if (conv->zero && !conv->left && *text == '-') {
		put(out, *text++); /* zeros go between sign and digits */
		len--;
	}
	for (size_t i = 0; i < padding && !conv->left; i++)
		put(out, conv->zero ? '0' : ' ');
	for (size_t i = 0; i < len; i++)
		put(out, text[i]);
	for (size_t i = 0; i < padding && conv->left; i++)
		put(out, ' ');
}

static void put_number(struct output *out, const struct conversion *conv, uint64_t value,
	unsigned base, bool negative)
{
	char digits[21]; /* 2^64 has 20, and a sign */
	char *first = digits + sizeof(digits);

	do {
		*--first = "0123456789abcdef"[divide64(&value, base)];
	} while (value);
	if (negative)
		*--first = '-';
	put_padded(out, conv, first, (size_t)(digits + sizeof(digits) - first));
}

static const char *parse_conversion(const char *format, struct conversion *conv)
{
	*conv = (struct conversion){0};
	for (; *format == '-' || *format == '0'; format++) {
		if (*format == '-')
			conv->left = true;
		else
			conv->zero = true;
	}
	for (; *format >= '0' && *format <= '9'; format++)
		conv->width = conv->width * 10 + (size_t)(*format - '0');
	if (format[0] == 'l' && format[1] == 'l') {
		conv->wide = true;
		format += 2;
	}
	return format;
}

static void format_output(struct output *out, const char *format, va_list *arguments)
{
	for (; *format; format++) {
		struct conversion conv;
		const char *text;
		int64_t number;

		if (*format != '%') {
			put(out, *format);
			continue;
		}
		format = parse_conversion(format + 1, &conv);
		switch (*format) {
		case 'c':
			put_padded(out, &conv, (char[]){(char)va_arg(*arguments, int)}, 1);
			break;
		case 's':
			text = va_arg(*arguments, const char *);
			put_padded(out, &conv, text, strlen(text));
			break;
		case 'd':
			number = conv.wide ? va_arg(*arguments, int64_t) : va_arg(*arguments, int);
			put_number(out, &conv, number < 0 ? -(uint64_t)number : (uint64_t)number,
				10, number < 0);
			break;
		case 'u':
		case 'x':
			put_number(out, &conv,
				conv.wide ? va_arg(*arguments, uint64_t)
					  : va_arg(*arguments, unsigned),
				*format == 'u' ? 10 : 16, false);
			break;
		case 'p':
			conv = (struct conversion){.zero = true, .width = 8};
			put_number(out, &conv, va_arg(*arguments, uint32_t), 16, false);
			break;
		case '%':
			put(out, '%');
			break;
		default: /* unknown, or the format ends in the middle */
			put(out, '?');
			if (!*format)
				return;
		}
	}
}

void printf(const char *format, ...)
{
	struct output out = {.len = 0};
	va_list arguments;

	va_start(arguments, format);
	spin_lock(&lock);
	out.write = write;
	out.ctx = write_ctx;
	format_output(&out, format, &arguments);
	flush(&out);
	spin_unlock(&lock);
	va_end(arguments);
}

void debug_printf(const char *format, ...)
{
	struct output out = {.write = debug_write};
	va_list arguments;

	va_start(arguments, format);
	format_output(&out, format, &arguments);
	flush(&out);
	va_end(arguments);
}
