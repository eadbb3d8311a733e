/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/story.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error_text.h"
#include "exit_status.h"
#include "log.h"
#include "numbers.h"
#include "report.h"
#include "story/choice.h"
#include "story/page.h"
#include "story/problems.h"
#include "story/write.h"
#include "suggest.h"
#include "usage.h"

/* --- the command line ------------------------------------------------------------------------- */

static int parse_value(
	const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	int ret = parse_number(text, max, value);

	if (ret == 0 && *value < min)
		ret = -EINVAL;
	if (ret < 0)
		say("story: --%s %s: not a number from %" PRIu64 " to %" PRIu64, name, text, min,
			max);
	return ret;
}

static int refuse_word(const char *word)
{
#define STORY_OPTIONS "--device, --queue, --chain or --from"
	say("story: %s: not an option of it; there are --device, --queue, --chain and --from%s",
		word, suggestion(word, STORY_OPTIONS));
	return -EINVAL;
}

/* Returns 0, 1 if --help was asked for, or -EINVAL (said). */
static int parse(struct choice *choice, const char **path, int argc, char **argv)
{
	static const struct option names[] = {
		{"device", required_argument, NULL, 'd'},
		{"queue", required_argument, NULL, 'q'},
		{"chain", required_argument, NULL, 'c'},
		{"from", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	uint64_t value;
	int option, ret = 0;

	opterr = 0;
	while (ret == 0 && (option = getopt_long(argc, argv, ":h", names, NULL)) != -1) {
		switch (option) {
		case 'd':
			ret = parse_value("device", optarg, 0, DEVICE_COUNT - 1, &value);
			choice->device = (int)value;
			break;
		case 'q':
			ret = parse_value("queue", optarg, 0, VIRTIO_QUEUES_MAX - 1, &value);
			choice->queue = (int)value;
			break;
		case 'c':
			ret = parse_value("chain", optarg, 1, UINT64_MAX, &choice->chain);
			break;
		case 'f':
			ret = parse_value("from", optarg, 1, UINT64_MAX, &choice->first);
			break;
		case 'h':
			return 1;
		case ':':
			say("story: %s: its number is missing", argv[optind - 1]);
			return -EINVAL;
		default:
			return refuse_word(argv[optind - 1]);
		}
	}
	if (ret < 0)
		return ret;
	*path = argv[optind];
	if (optind < argc && !argv[optind + 1])
		return 0;
	say(optind == argc ? "story: no capture is named; vole run --capture FILE makes one"
			   : "story: it makes a page of one capture");
	return -EINVAL;
}

/* --- the page --------------------------------------------------------------------------------- */

static int fail(const char *path, const char *reason)
{
	say("story: %s: %s", path, reason);
	return EXIT_STATUS_VOLE;
}

/* Says why no step is shown. */
static int nothing(const char *path, const struct overview *overview)
{
	struct text text;

	if (overview->steps > 0)
		return fail(path, "it has no step that the options choose");
	if (overview->problem[0])
		return fail(path, overview->problem);
	if (overview->later > 0)
		return fail(path, "what it has is of a version or kind that this vole does not "
				  "know");
	if (overview->beyond == 0 && overview->damaged == 0)
		return fail(path,
			overview->foreign == 0 && strncmp(overview->application, "vole ", 5) == 0
				? "it has no steps: no driver has used a virtio device"
				: "none of its records was written by vole");
	text_begin(&text);
	problems_add(&text, overview);
	text.bytes[strcspn(text.bytes, "\n")] = '\0';
	say("story: %s: %s: there is nothing else to show", path, text.bytes);
	return EXIT_STATUS_VOLE;
}

static void say_problems(const char *path, const struct overview *overview)
{
	struct text text;
	const char *line;

	text_begin(&text);
	problems_add(&text, overview);
	for (line = text_lines(&text); *line; line += strcspn(line, "\n") + 1)
		say("story: %s: %.*s", path, (int)strcspn(line, "\n"), line);
}

static int write_page(FILE *capture, const char *path, const struct overview *overview)
{
	const char *slash = strrchr(path, '/');
	int ret;

	rewind(capture);
	page_begin(stdout);
	ret = story_write(stdout, capture, slash ? slash + 1 : path, overview);
	page_end(stdout);
	if (ret < 0)
		return fail(path, error_text(-ret));
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	say("standard output: %s", error_text(errno));
	return EXIT_STATUS_VOLE;
}

/* A shell's >> or <> leaves what the file has, and the page would go over or behind it. */
static bool is_stdout(FILE *capture)
{
	struct stat in, out;

	return fstat(fileno(capture), &in) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
	       S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static int show(FILE *capture, const char *path, const struct choice *choice)
{
	struct overview overview;
	int ret;

	if (is_stdout(capture))
		return fail(path, "the page would be written into the capture: name another file");
	if (fseek(capture, 0, SEEK_SET) < 0)
		return fail(path, "it is read twice, so it has to be a file");
	ret = choice_look(&overview, capture, choice);
	if (ret == -ENOENT) {
		say("story: %s: it has no chain %" PRIu64, path, choice->chain);
		return EXIT_STATUS_VOLE;
	}
	if (ret < 0)
		return fail(path, error_text(-ret));
	if (overview.shown == 0)
		return nothing(path, &overview);
	say_problems(path, &overview);
	return write_page(capture, path, &overview);
}

int story(int argc, char **argv)
{
	struct choice choice = {.device = CHOICE_ANY, .queue = CHOICE_ANY, .first = 1};
	const char *path;
	FILE *capture;
	int fd, ret = parse(&choice, &path, argc, argv);

	if (ret != 0)
		return ret > 0 && fputs(usage, stdout) >= 0 && fflush(stdout) == 0
			       ? 0
			       : EXIT_STATUS_VOLE;
	if (isatty(STDOUT_FILENO))
		return fail(path, "the page goes to standard output, which is a terminal: add "
				  ">page.html");
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	capture = fd < 0 ? NULL : fdopen(fd, "r");
	if (!capture) {
		ret = fail(path, error_text(errno));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	ret = show(capture, path, &choice);
	fclose(capture);
	return ret;
}
