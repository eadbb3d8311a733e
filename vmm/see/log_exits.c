/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/log_exits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "io/sink.h"
#include "see/views.h"

struct log_exits_view {
	struct view view;
	struct sink sink;
	const char *path;
	unsigned kinds; /* EXIT_LOG_ values */
	const char *word;
};

static void log_exits_event(struct view *view, const struct event *event)
{
	struct log_exits_view *log = container_of(view, struct log_exits_view, view);
	char line[EXIT_LOG_LINE_MAX + 1];
	size_t len;

	if (event->kind != EVENT_EXIT && event->kind != EVENT_EXIT_END)
		return;
	if (!(exit_log_kind(event->exit) & log->kinds) ||
		exit_log_is_read(event->exit) != (event->kind == EVENT_EXIT_END))
		return;
	exit_log_line(line, event->leaving, event->exit);
	len = strlen(line);
	line[len] = '\n';
	sink_write(&log->sink, line, len + 1);
}

static bool log_exits_close(struct view *view)
{
	struct log_exits_view *log = container_of(view, struct log_exits_view, view);
	struct sink_end end = sink_close(&log->sink);
	char option[16];

	snprintf(option, sizeof option, "--log %s", log->word);
	sink_report(&end, option, log->path, "line");
	if (end.is_stuck)
		return false;
	free(log);
	return true;
}

int log_exits_open(struct views *views, const struct exit_log_word *word, const char *path)
{
	struct log_exits_view *log = calloc(1, sizeof *log);
	char option[24];
	int ret = log ? sink_open(&log->sink, path, views->wait) : -ENOMEM;

	if (ret < 0) {
		snprintf(option, sizeof option, "--log %s: ", word->word);
		sink_say_unopened(ret, option, path);
		free(log);
		return ret;
	}
	log->view = (struct view){.event = log_exits_event, .close = log_exits_close};
	log->path = path;
	log->kinds = word->kinds;
	log->word = word->word;
	views_add(views, &log->view);
	return 0;
}
