/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vole says all that it has to say to a reader who is slow, and does not wait for ever for one who
 * does not read.
 */

#include "log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"

/* Seconds after which what blocks is given up. */
#define PATIENCE 60

#define LINES 3000

/* More than any pipe or terminal holds. */
#define FULL 100000

static bool yes(void *ctx)
{
	(void)ctx;
	return true;
}

__attribute__((format(printf, 1, 2))) static bool say_patiently(const char *format, ...)
{
	va_list arguments;
	bool is_read;

	va_start(arguments, format);
	is_read = vsay(yes, NULL, format, arguments);
	va_end(arguments);
	return is_read;
}

/* In a process of its own, whose standard error this is. */
static pid_t start(int fd, int other_end, void (*speak)(void))
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close(other_end);
	dup2(fd, STDERR_FILENO);
	alarm(PATIENCE);
	speak();
	_exit(0);
}

static void count_up(void)
{
	for (unsigned i = 0; i < LINES; i++)
		say_patiently("line %u of those that are longer than they would have to be", i);
}

static void count_up_for_itself(void)
{
	log_open();
	count_up();
}

/* Lines from the other end, which come in order; how many. */
static unsigned read_lines(int fd)
{
	FILE *file = fdopen(fd, "r");
	char line[128];
	unsigned count = 0, number;

	while (fgets(line, sizeof line, file) &&
		sscanf(line, "vole: line %u of those", &number) == 1 && number == count)
		count++;
	fclose(file);
	return count;
}

static void test_slow_reader(const char *name, int flags, void (*speak)(void))
{
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) < 0)
		exit(1);
	fcntl(ends[1], F_SETFL, flags);
	pid = start(ends[1], ends[0], speak);
	close(ends[1]);
	usleep(300000);
	is(read_lines(ends[0]), LINES, "%s: a reader who comes late gets each line", name);
	waitpid(pid, &status, 0);
	is(status, 0, "%s: and then they are said", name);
}

static void fill(void)
{
	char bytes[100];

	memset(bytes, 'x', sizeof bytes);
	for (size_t len = sizeof bytes; len > 0; len--)
		for (unsigned i = 0; i < FULL / len && write(STDERR_FILENO, bytes, len) > 0; i++)
			;
}

static void speak_to_nobody(void)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	fill();
	fcntl(STDERR_FILENO, F_SETFL, flags);
	say("a line for nobody");
}

static void test_nobody(const char *name, int fd, int other_end)
{
	pid_t pid = start(fd, other_end, speak_to_nobody);
	int status;

	waitpid(pid, &status, 0);
	is(status, 0, "%s: who does not read holds up nobody for good", name);
	close(fd);
	close(other_end);
}

/* In a process of its own, whose standard error is a pipe that nobody else has: says a line before
 * and after its reader is gone. Its exit status is 0 if vsay() tells them apart. */
_Noreturn static void speak_twice(void)
{
	int ends[2];

	if (pipe(ends) < 0)
		_exit(3);
	signal(SIGPIPE, SIG_IGN); /* as vole */
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	if (!say_patiently("a line that can be read"))
		_exit(1);
	close(ends[0]);
	_exit(say_patiently("a line that cannot") ? 2 : 0);
}

static void test_gone(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		speak_twice();
	waitpid(pid, &status, 0);
	is(status, 0, "a reader who is gone is told of, one who may still read is not");
}

static void test_long(void)
{
	static char name[20001];
	const char *said;

	memset(name, 'a', sizeof name - 1);
	for (unsigned len = 1000; len < 1040; len++) {
		capture_begin();
		say("%.*s: why", (int)len, name);
		said = capture_end();
		if (strlen(said) != len + 12 || strcmp(said + 6 + len, ": why\n") != 0)
			break;
		if (len == 1039)
			ok(true, "a name of about a line is said");
	}
	capture_begin();
	say("%s: why", name);
	said = capture_end();
	ok(strncmp(said, "vole: aaa", 9) == 0 && strcmp(said + 6 + 20000, ": why\n") == 0,
		"a name of any length is said, and what is wrong with it");
}

static void test_lines(void)
{
	capture_begin();
	say_lines("one\n  two\nthree");
	ok(strcmp(capture_end(), "vole: one\nvole:   two\nvole: three") == 0,
		"each of several lines has the prefix");
	capture_begin();
	say_lines("");
	ok(capture_end()[0] == '\0', "no lines, no text");
}

static void test_controls(void)
{
	capture_begin();
	say("\033[31ma\177\r\tb\nc\303\244: %d", 7);
	ok(strcmp(capture_end(), "vole: \\x1b[31ma\\x7f\\x0d\tb\\x0ac\303\244: 7\n") == 0,
		"control characters are shown, and other text is as it is");
	capture_begin();
	say("\302\2331m\233x \303\233 \342\202\254 \360\237\222\200 \302\240 \303");
	ok(strcmp(capture_end(), "vole: \\xc2\\x9b1m\\x9bx \303\233 \342\202\254 \360\237\222\200 "
				 "\302\240 \303\n") == 0,
		"so are those above 127, in UTF-8 and as bytes, but not parts of other characters");
	capture_begin();
	say_lines("\001one\n\033\n");
	ok(strcmp(capture_end(), "vole: \\x01one\nvole: \\x1b\n") == 0, "... also in lines");
}

int main(void)
{
	int ends[2], master = posix_openpt(O_RDWR | O_NOCTTY);

	test_slow_reader("a pipe", 0, count_up);
	test_slow_reader("one that does not block", O_NONBLOCK, count_up);
	test_slow_reader("one opened anew", 0, count_up_for_itself);
	if (pipe(ends) < 0 || master < 0 || unlockpt(master) < 0)
		return 1;
	test_nobody("a pipe", ends[1], ends[0]);
	test_nobody("a terminal", open(ptsname(master), O_RDWR | O_NOCTTY), master);
	test_gone();
	test_long();
	test_controls();
	test_lines();
	return tap_done();
}
