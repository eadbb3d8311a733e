/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "error_text.h"
#include "log.h"
#include "monotonic.h"
#include "see/stats_parts.h"

/* --- beginning -------------------------------------------------------------------------------- */

struct stats *stats_new(const struct process_start *start)
{
	struct stats *stats = calloc(1, sizeof *stats);

	if (!stats) {
		say("--stats: %s", error_text(ENOMEM));
		return NULL;
	}
	stats->last_counter = &stats->counters;
	stats_run_begin(&stats->run, start);
	return stats;
}

struct stats_run *stats_run(struct stats *stats)
{
	return &stats->run;
}

/* --- the end ---------------------------------------------------------------------------------- */

void stats_add_counter(
	struct stats *stats, int cpu, const char *name, const uint64_t *values, unsigned count)
{
	struct stats_counter *counter = calloc(1, sizeof *counter + count * sizeof *values);

	if (!counter)
		return;
	counter->cpu = cpu;
	snprintf(counter->name, sizeof counter->name, "%s", name);
	counter->count = count;
	memcpy(counter->values, values, count * sizeof *values);
	*stats->last_counter = counter;
	stats->last_counter = &counter->next;
}

void stats_set_instructions(struct stats *stats, unsigned cpu, uint64_t instructions)
{
	stats->cpus[cpu].instructions = instructions;
}

/* Returns the text of all statistics, which the caller frees, and sets *len; NULL: no memory. */
static char *compose(struct stats *stats, size_t *len)
{
	char *text = NULL;
	FILE *file;
	bool has_failed;

	if (stats_sort_exits(&stats->exits) < 0 || !(file = open_memstream(&text, len)))
		return NULL;
	if (stats->path)
		stats_write_json(stats, file);
	else
		stats_write_table(stats, file);
	has_failed = ferror(file) != 0;
	has_failed |= fclose(file) != 0;
	if (!has_failed)
		return text;
	free(text);
	return NULL;
}

bool stats_tell(struct stats *stats)
{
	struct sink_end end;
	char *text = NULL;
	size_t len;

	if (!stats->is_open)
		return true;
	stats->is_open = false;
	if (stats->path || !stats_run_awaits(&stats->run, STATS_FIRST_INSTRUCTION)) {
		text = compose(stats, &len);
		if (text)
			sink_write(&stats->sink, text, len);
		else
			say("--stats: %s", error_text(ENOMEM));
	}
	free(text);
	end = sink_close(&stats->sink);
	sink_report(&end, "--stats", stats->path ? stats->path : "standard error", "result");
	return !end.is_stuck;
}

void stats_free(struct stats *stats)
{
	struct stats_counter *next;

	if (!stats)
		return;
	if (stats->is_open)
		sink_close(&stats->sink);
	for (struct stats_counter *counter = stats->counters; counter; counter = next) {
		next = counter->next;
		free(counter);
	}
	stats_free_queues(stats);
	free(stats);
}

/* --- the view --------------------------------------------------------------------------------- */

/* KVM takes its time to tell where the guest is, which is not a part of the exit. */
static void exit_begins(struct stats *stats, const struct event *event)
{
	uint64_t rip = event->leaving->ops->position(event->leaving);

	if (stats_run_awaits(&stats->run, STATS_FIRST_EXIT))
		stats_run_reach(&stats->run, STATS_FIRST_EXIT,
			stats->view.views->machine->instructions(
				stats->view.views->ctx, EVENT_NO_CPU));
	stats_exit_begins(stats, event, rip, monotonic_ns());
}

static void stats_event(struct view *view, const struct event *event)
{
	struct stats *stats = container_of(view, struct stats, view);
	uint64_t ns = monotonic_ns();

	switch (event->kind) {
	case EVENT_VIRTIO:
		stats_step(stats, event, ns);
		break;
	case EVENT_EXIT:
		exit_begins(stats, event);
		break;
	case EVENT_EXIT_END:
		stats_exit_ends(stats, event, ns);
		break;
	case EVENT_MARK:
		stats_marked(stats, event, ns);
		break;
	case EVENT_REPORT:
	case EVENT_LOOK:
	case EVENT_ACCESS:
		break;
	}
}

/* Nothing is told here: stats_tell() does that, when the machine is freed. */
static bool stats_close(struct view *view)
{
	(void)view;
	return true;
}

int stats_open(struct stats *stats, struct views *views, const char *path)
{
	int ret = path ? sink_open(&stats->sink, path, views->wait) : sink_open_log(&stats->sink);

	if (ret < 0) {
		sink_say_unopened(ret, path ? "--stats=json:" : "--stats: ", path);
		return ret;
	}
	stats->path = path;
	stats->is_open = true;
	stats->view = (struct view){.event = stats_event, .close = stats_close};
	views_add(views, &stats->view);
	return 0;
}
