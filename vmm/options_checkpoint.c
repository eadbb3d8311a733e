/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_checkpoint.h"

#include <errno.h>
#include <string.h>

#include "io/unix_socket.h"
#include "log.h"
#include "numbers.h"
#include "option_list.h"

/* A number of seconds, or with ns, us or ms. 0 or -EINVAL. */
static int parse_time(const char *text, uint64_t *ns)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"", 1000000000}};
	size_t digits = strspn(text, "0123456789");
	char number[24];

	if (digits >= sizeof number)
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(text + digits, units[i].suffix) != 0)
			continue;
		if (parse_number(number, INT64_MAX / units[i].ns, ns) < 0)
			return -EINVAL;
		*ns *= units[i].ns;
		return 0;
	}
	return -EINVAL;
}

static int parse_word(struct checkpoint_options *checkpoint, const char *word)
{
	if (strcmp(word, "continue") == 0) {
		checkpoint->goes_on = true;
		return 0;
	}
	if (strncmp(word, "at=", 3) == 0 && parse_time(word + 3, &checkpoint->time_ns) == 0) {
		checkpoint->has_time = true;
		return 0;
	}
	say("--checkpoint %s: \"%s\" is neither continue nor at=TIME, seconds or a number with ns, "
	    "us or ms",
		checkpoint->path, word);
	return -EINVAL;
}

int parse_checkpoint(struct options *options, char *text)
{
	struct checkpoint_options *checkpoint = &options->checkpoint;
	const char *socket;
	char *word;
	int ret;

	ret = parse_output("--checkpoint", next_word(&text), &checkpoint->path);
	if (ret < 0)
		return ret;
	socket = unix_socket_path(checkpoint->path);
	if (socket && !*socket) {
		say("--checkpoint unix:: no socket is named");
		return -EINVAL;
	}
	while ((word = next_word(&text)) != NULL)
		if (parse_word(checkpoint, word) < 0)
			return -EINVAL;
	return 0;
}

int check_checkpoint(const struct options *options)
{
	if (!options->checkpoint.path)
		return 0;
	if (options->checkpoint.goes_on && unix_socket_path(options->checkpoint.path)) {
		say("--checkpoint %s: not with continue: clones are served once the machine has "
		    "ended",
			options->checkpoint.path);
		return -EINVAL;
	}
	if (options->chaos.on) {
		say("--checkpoint %s: not with --chaos, whose devices hold requests back",
			options->checkpoint.path);
		return -EINVAL;
	}
	if (options->gdb.kind != GDB_NONE) {
		say("--checkpoint %s: not with --gdb, whose breakpoints may be in memory",
			options->checkpoint.path);
		return -EINVAL;
	}
	for (unsigned i = 0; i < options->disk_count; i++) {
		if (!options->disks[i].is_private)
			continue;
		say("--checkpoint %s: not with the private disk %s: what is written to it is not "
		    "saved",
			options->checkpoint.path, options->disks[i].path);
		return -EINVAL;
	}
	return 0;
}

int check_clone_takes(int option, const struct option *longs)
{
	static const char *const refused[] = {"boot", "clock", "memory", "cpus", "virtio", "chaos",
		"module", "initrd", "load", "debug-port", "record"};

	while (longs->name && longs->val != option)
		longs++;
	for (size_t i = 0; longs->name && i < sizeof refused / sizeof *refused; i++) {
		if (strcmp(longs->name, refused[i]) != 0)
			continue;
		say("--%s: a clone has the machine of its checkpoint", longs->name);
		return -EINVAL;
	}
	return 0;
}
