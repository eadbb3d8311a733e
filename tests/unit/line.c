/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of vole's and what the guest prints, in one pipe or in two: where lines begin, and who
 * waits. */
#include "line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "log.h"

static ssize_t print(const char *text)
{
	const struct iovec iov = {(void *)text, strlen(text)};

	return line_write_guest(STDOUT_FILENO, &iov, iov.iov_len);
}

/* Calls a function in a process of its own, whose standard error is a pipe, and standard output is
 * the same one or /dev/null. Returns what it wrote there, valid until the next call. */
static const char *written_by(void (*speak)(void), bool is_shared)
{
	static char text[1024];
	size_t len = 0;
	ssize_t n;
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		if (is_shared)
			dup2(ends[1], STDOUT_FILENO);
		else
			close(STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		line_compare();
		speak();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return text;
}

static void in_turns(void)
{
	print("abc");
	say("one");
	print("def\n");
	say("two");
	say("three");
	print("ghi\r");
	say("four");
	print("jkl\n\r");
	say("five");
}

/* The rest of a line is lost: whatever comes next begins a line. */
static void cut(void)
{
	line_begin(0);
	line_write("vole: par", 9, 4096);
	line_end();
	print("guest\n");
	line_begin(0);
	line_write("vole: par", 9, 4096);
	line_end();
	say("one");
}

/* A blocking terminal takes a byte at a time. */
static void by_steps(void)
{
	const char *text = "vole: one\n";

	print("abc");
	line_begin(0);
	while (*text)
		text += line_write(text, strlen(text), 1);
	line_end();
}

static void together(void)
{
	line_begin(0);
	line_write("vole: ", 6, 4096);
	if (print("abc") == -EAGAIN && !line_begin(1))
		line_write("one\n", 4, 4096);
	line_end();
	print("abc");
	line_write_last("vole: two\n", 10);
}

static void check_text(const char *written, const char *expected, const char *name)
{
	ok(strcmp(written, expected) == 0, "%s", name);
	if (strcmp(written, expected) != 0)
		fprintf(stderr, "# %s", written);
}

int main(void)
{
	check_text(written_by(in_turns, true),
		"abc\nvole: one\ndef\nvole: two\nvole: three\nghi\r\nvole: four\njkl\n\rvole: "
		"five\n",
		"a message begins on a fresh line, and no line is empty");
	check_text(written_by(in_turns, false),
		"vole: one\nvole: two\nvole: three\nvole: four\nvole: five\n",
		"where the guest prints elsewhere, messages are as they are");
	check_text(written_by(cut, true), "vole: par\nguest\nvole: par\nvole: one\n",
		"what follows a message that is cut off begins a line");
	check_text(written_by(by_steps, true), "abc\nvole: one\n", "a byte at a time");
	check_text(written_by(together, true), "vole: one\nabc\nvole: two\n",
		"nothing comes into the middle of a message");
	return tap_done();
}
