/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of files as words of a command, which a shell takes apart again. */
#include "shell_word.h"

#include <stdio.h>
#include <string.h>

#include "../tap.h"

static void check(const char *path, const char *expected)
{
	const char *word = shell_word(path);

	ok(strcmp(word, expected) == 0, "%s: %s", path, word);
}

/* The shell's echo of the word is the name, or the name with "./" before it. */
static void check_shell(const char *path, const char *expected)
{
	char command[256], seen[256] = "";
	FILE *shell;

	snprintf(command, sizeof command, "printf %%s %s", shell_word(path));
	shell = popen(command, "r");
	if (shell) {
		seen[fread(seen, 1, sizeof seen - 1, shell)] = '\0';
		pclose(shell);
	}
	ok(strcmp(seen, expected) == 0, "the shell reads %s", command);
}

/* Each byte that a name can have, one at a time. */
static void check_bytes(void)
{
	char name[] = "a?b", seen[2 * sizeof name + 8];
	unsigned plain = 0, quoted = 0;

	for (int byte = 1; byte < 256; byte++) {
		name[1] = (char)byte;
		snprintf(seen, sizeof seen, "%s", shell_word(name));
		plain += strcmp(seen, name) == 0;
		quoted += seen[0] == '\'' && seen[strlen(seen) - 1] == '\'';
	}
	ok(plain + quoted == 255, "each byte is plain (%u) or quoted (%u)", plain, quoted);
}

static void check_long(void)
{
	static char longest[PATH_MAX], quotes[PATH_MAX];

	memset(longest, 'x', sizeof longest - 1);
	longest[0] = '-';
	longest[7] = ' ';
	memset(quotes, '\'', sizeof quotes - 1);
	ok(strlen(shell_word(longest)) == sizeof longest - 1 + 4, "the longest name is quoted");
	ok(shell_word(quotes) == quotes, "a name whose word is too long stays as it is");
}

int main(void)
{
	check("k.elf", "k.elf");
	check("/var/tmp/a_b-c+d,e:f=g@h%i/0.1", "/var/tmp/a_b-c+d,e:f=g@h%i/0.1");
	check("caf\xc3\xa9", "caf\xc3\xa9");
	check("sp ace/r e.rec", "'sp ace/r e.rec'");
	check("it's", "'it'\\''s'");
	check("~/k.elf", "'~/k.elf'");
	check("$HOME", "'$HOME'");
	check("", "''");
	check("-k.elf", "./-k.elf");
	check("-k elf", "'./-k elf'");
	check_shell("sp ace/it's \"$HOME\" `id` \\ * ? [a] {b,c} ~ # ! & ; < > ( ) |",
		"sp ace/it's \"$HOME\" `id` \\ * ? [a] {b,c} ~ # ! & ; < > ( ) |");
	check_shell("two\nlines\tand a tab", "two\nlines\tand a tab");
	check_shell("- a", "./- a");
	check_bytes();
	check_long();
	return tap_done();
}
