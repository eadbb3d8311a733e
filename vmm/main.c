/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "error_text.h"
#include "exit_status.h"
#include "log.h"
#include "machine.h"
#include "machine/signals.h"
#include "monotonic.h"
#include "options_parse.h"
#include "process.h"
#include "suggest.h"
#include "usage.h"
#include "version.h"

/* Returns the exit status. */
static int show_text(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return 0;
	say("standard output: %s", error_text(errno));
	return EXIT_STATUS_VOLE;
}

/* Runs a machine. Returns the exit status. */
static int run_machine(const struct options *options, uint64_t began_ns)
{
	int signal, status = machine_run(options, began_ns, &signal);

	/* Whoever waits for us shall see which signal it was. */
	if (signal)
		signal_let_through(signal);
	return status;
}

/* Says what is wrong with the first word, NULL if there is none. Returns the exit status. */
static int refuse_command(const char *word)
{
	static const char *const commands[] = {
		"run", "clone", "inspect", "doctor", "--help", "--version", NULL};
	const char *meant;

	if (!word)
		fputs(usage_short, stderr);
	else if (access(word, F_OK) == 0)
		say("%s: not a command; \"vole run %s\" boots it", word, word);
	else if ((meant = suggest(word, commands)))
		say("%s: not a command; %s? (vole --help tells all)", word, meant);
	else
		say("%s: not a command; there are run, clone, inspect and doctor (vole --help "
		    "tells all)",
			word);
	return EXIT_STATUS_VOLE;
}

int main(int argc, char **argv)
{
	struct options options;
	uint64_t began_ns = monotonic_ns();
	const char *command = argc > 1 ? argv[1] : "";
	int ret;

	if (!process_prepare())
		return EXIT_STATUS_VOLE;
	if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
		return show_text(usage);
	if (strcmp(command, "--version") == 0)
		return show_text("vole " VOLE_VERSION "\n");
	if (strcmp(command, "doctor") == 0 && argc == 2)
		return doctor();
	if (strcmp(command, "doctor") == 0) {
		say("doctor %s: it has no options", argv[2]);
		return EXIT_STATUS_VOLE;
	}
	if (strcmp(command, "run") != 0 && strcmp(command, "clone") != 0 &&
		strcmp(command, "inspect") != 0)
		return refuse_command(argc > 1 ? command : NULL);
	ret = options_parse(&options, argc - 1, argv + 1);
	if (ret != 0)
		return ret > 0 ? show_text(usage) : EXIT_STATUS_VOLE;
	return strcmp(command, "inspect") == 0 ? machine_show(&options)
					       : run_machine(&options, began_ns);
}
