/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "container.h"
#include "log.h"
#include "see/trace_parts.h"

static void name_exit(const struct event *event, char *name, size_t size)
{
	const struct cpu_exit *exit = event->exit;

	switch (exit->kind) {
	case CPU_EXIT_PORT:
		snprintf(name, size, "port 0x%" PRIx64, exit->address);
		break;
	case CPU_EXIT_MMIO:
		snprintf(name, size, "%s 0x%08" PRIx64, exit->is_write ? "store" : "load",
			exit->address);
		break;
	case CPU_EXIT_OTHER:
		snprintf(name, size, "%s", exit->name);
		break;
	}
}

static void trace_exit(struct trace_view *trace, const struct event *event)
{
	struct traced_cpu *cpu = trace_cpu(trace, event);
	char name[48];

	if (cpu->is_in_guest)
		trace_file_end(&trace->file, event->ns, cpu->track);
	cpu->is_in_guest = false;
	name_exit(event, name, sizeof name);
	trace_file_begin(&trace->file, event->ns, cpu->track, name, NULL);
	cpu->depth++;
}

static void trace_exit_end(struct trace_view *trace, const struct event *event)
{
	struct traced_cpu *cpu = trace_cpu(trace, event);

	if (cpu->depth > 0) {
		trace_file_end(&trace->file, event->ns, cpu->track);
		cpu->depth--;
	}
	if (cpu->depth > 0)
		return;
	trace_file_begin(&trace->file, event->ns, cpu->track, "guest", NULL);
	cpu->is_in_guest = true;
}

static void trace_mark(struct trace_view *trace, const struct event *event)
{
	char name[32];

	snprintf(name, sizeof name, "mark 0x%" PRIx32, event->mark);
	trace_file_instant(&trace->file, event->ns, trace_cpu(trace, event)->track, name, NULL);
}

static void trace_event(struct view *view, const struct event *event)
{
	struct trace_view *trace = container_of(view, struct trace_view, view);

	trace->last_ns = event->ns;
	switch (event->kind) {
	case EVENT_VIRTIO:
		trace_step(trace, event);
		break;
	case EVENT_REPORT:
		break;
	case EVENT_EXIT:
		trace_exit(trace, event);
		break;
	case EVENT_EXIT_END:
		trace_exit_end(trace, event);
		break;
	case EVENT_LOOK:
	case EVENT_ACCESS:
		break;
	case EVENT_MARK:
		trace_mark(trace, event);
		break;
	}
}

/* A CPU that did not come back is where it was. */
static void end_cpus(struct trace_view *trace)
{
	for (unsigned i = 0; i < CPUS_MAX; i++) {
		struct traced_cpu *cpu = &trace->cpus[i];

		for (unsigned open = cpu->depth + cpu->is_in_guest; open > 0; open--)
			trace_file_end(&trace->file, trace->last_ns, cpu->track);
	}
}

static bool trace_close(struct view *view)
{
	struct trace_view *trace = container_of(view, struct trace_view, view);
	struct sink_end end;

	end_cpus(trace);
	trace_end_devices(trace);
	end = trace_file_close(&trace->file);
	sink_report(&end, "--trace", trace->path, "event");
	if (end.is_stuck)
		return false;
	free(trace);
	return true;
}

int trace_open(struct views *views, const char *path, const char *kernel)
{
	struct trace_view *trace = calloc(1, sizeof *trace);
	int ret = trace ? trace_file_open(&trace->file, path, views->wait, kernel) : -ENOMEM;

	if (ret < 0) {
		sink_say_unopened(ret, "--trace ", path);
		free(trace);
		return ret;
	}
	trace->view = (struct view){.event = trace_event, .close = trace_close};
	trace->path = path;
	views_add(views, &trace->view);
	return 0;
}
