/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/stream.h"
#include "line.h"
#include "monotonic.h"

#define PREFIX     "vole: "
#define PREFIX_LEN (sizeof PREFIX - 1)

/* A reader that takes nothing is waited for so long, in steps of this. */
#define PATIENCE_MS 1000
#define WAIT_MS     100

void log_open(void)
{
	int own;

	line_compare();
	own = stream_reopen(STDERR_FILENO, O_WRONLY);
	if (own < 0)
		return;
	dup2(own, STDERR_FILENO);
	close(own);
}

/* Writes a part of text, at most step bytes. Returns how many bytes, 0 if none are taken for
 * WAIT_MS or a signal came, or -errno. */
static ssize_t write_some(const char *text, size_t len, size_t step)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	int ready = poll(&out, 1, WAIT_MS);
	ssize_t n;

	/* A limit of no descriptors is an error: then it is not asked. */
	if (ready == 0 || (ready < 0 && errno == EINTR))
		return 0;
	n = line_write(text, len, step);
	if (n >= 0 || (n != -EAGAIN && n != -EINTR))
		return n;
	/* It has room, but not for this. */
	poll(NULL, 0, WAIT_MS);
	return 0;
}

static int64_t now_ms(void)
{
	return (int64_t)(monotonic_ns() / 1000000);
}

/* How long a message waits. */
struct patience {
	bool (*waits)(void *ctx); /* NULL: for PATIENCE_MS since something was written */
	void *ctx;
	int64_t since;
};

static bool is_over(const struct patience *patience)
{
	if (patience->waits)
		return !patience->waits(patience->ctx);
	return now_ms() - patience->since >= PATIENCE_MS;
}

/* Returns false if the other end of standard error is closed. Called between line_begin() and
 * line_end(). */
static bool write_line(const char *text, size_t len, struct patience *patience)
{
	size_t step = stream_step(STDERR_FILENO);

	while (len > 0) {
		ssize_t n = write_some(text, len, step);

		if (n > 0)
			patience->since = now_ms();
		/* There is nowhere to report that standard error fails. */
		else if (n < 0)
			return n != -EPIPE && n != -EIO;
		else if (is_over(patience))
			return true;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Returns false if the other end of standard error is closed. */
static bool write_all(const char *text, size_t len, bool (*waits)(void *ctx), void *ctx)
{
	struct patience patience = {waits, ctx, now_ms()};
	bool is_read;

	while (!line_begin(WAIT_MS))
		if (is_over(&patience))
			return true;
	is_read = write_line(text, len, &patience);
	line_end();
	return is_read;
}

/* A line of arguments, of up to size bytes. How long it is, or would be. */
static size_t compose(char *line, size_t size, const char *format, va_list arguments)
{
	int len;

	memcpy(line, PREFIX, PREFIX_LEN);
	len = vsnprintf(line + PREFIX_LEN, size - PREFIX_LEN, format, arguments);
	len = (len < 0 ? 0 : len) + (int)PREFIX_LEN;
	line[(size_t)len < size ? (size_t)len : size - 1] = '\n';
	return (size_t)len + 1;
}

/*
 * Returns whether a terminal may take the byte at text for a command, or a part of one: a control
 * character below space, DEL, or one of U+0080 to U+009F, which terminals know in UTF-8 and as
 * single bytes. Names of files have any bytes, and so has what a guest wrote: in one line, the end
 * of a line is one of them, but for that of the text. *left is how many bytes of a longer character
 * follow: 0 before the first call, and changed by each.
 */
static bool is_control(const char *text, size_t len, bool is_line, unsigned *left)
{
	uint8_t c = (uint8_t)text[0], next = len > 1 ? (uint8_t)text[1] : 0;

	if (*left > 0 && (c & 0xc0) == 0x80) {
		(*left)--;
		return false;
	}
	*left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
	if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
		*left = 0;
		return true;
	}
	if (c == '\n')
		return is_line && len > 1;
	return (c < ' ' && c != '\t') || (c >= 0x7f && c < 0xa0);
}

static size_t count_controls(const char *text, size_t len, bool is_line)
{
	unsigned left = 0;
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += is_control(&text[i], len - i, is_line, &left);
	return count;
}

/* Copies text, with each control character as \x and its number. Returns the length. */
static size_t show_controls(char *to, const char *text, size_t len, bool is_line)
{
	unsigned left = 0;
	char *at = to;

	for (size_t i = 0; i < len; i++)
		if (is_control(&text[i], len - i, is_line, &left))
			at += sprintf(at, "\\x%02x", (unsigned char)text[i]);
		else
			*at++ = text[i];
	return (size_t)(at - to);
}

static void hide_controls(char *text, size_t len, bool is_line)
{
	unsigned left = 0;

	for (size_t i = 0; i < len; i++)
		if (is_control(&text[i], len - i, is_line, &left))
			text[i] = '?';
}

/* Writes text as write_all() does, with each control character shown by show_controls(). Without
 * memory for that they become "?". */
static bool write_shown(char *text, size_t len, bool is_line, bool (*waits)(void *ctx), void *ctx)
{
	size_t controls = count_controls(text, len, is_line);
	char *shown = NULL;
	bool is_read;

	if (controls > 0)
		/* sprintf() writes a NUL behind the last one. */
		shown = malloc(len + controls * strlen("x00") + 1);
	if (shown)
		len = show_controls(shown, text, len, is_line);
	else if (controls > 0)
		hide_controls(text, len, is_line);
	is_read = write_all(shown ? shown : text, len, waits, ctx);
	free(shown);
	return is_read;
}

bool vsay(bool (*waits)(void *ctx), void *ctx, const char *format, va_list arguments)
{
	int saved = errno;
	char usual[1024], *line = usual, *longer = NULL;
	va_list again;
	bool is_read;
	size_t len;

	va_copy(again, arguments);
	len = compose(line, sizeof usual, format, arguments);
	/* A long name may not hide what is wrong with it. Without memory it does. */
	if (len > sizeof usual) {
		longer = malloc(len);
		line = longer ? longer : usual;
		len = longer ? compose(longer, len, format, again) : sizeof usual;
	}
	va_end(again);
	is_read = write_shown(line, len, true, waits, ctx);
	free(longer);
	errno = saved;
	return is_read;
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsay(NULL, NULL, format, arguments);
	va_end(arguments);
}

/* Copies text with PREFIX before each of its lines. Returns the length. */
static size_t prefix_lines(char *to, const char *text)
{
	char *at = to;

	while (*text) {
		size_t len = (size_t)(strchrnul(text, '\n') - text);

		len += text[len] == '\n';
		memcpy(at, PREFIX, PREFIX_LEN);
		memcpy(at + PREFIX_LEN, text, len);
		at += PREFIX_LEN + len;
		text += len;
	}
	return (size_t)(at - to);
}

void say_lines(const char *text)
{
	int saved = errno;
	size_t lines = 1;
	char *all;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	all = malloc(strlen(text) + lines * PREFIX_LEN);
	if (all)
		write_shown(all, prefix_lines(all, text), false, NULL, NULL);
	else
		say("no memory");
	free(all);
	errno = saved;
}
