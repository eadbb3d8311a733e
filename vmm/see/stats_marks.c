/* SPDX-License-Identifier: BSD-2-Clause */
/* The moments that the kernel marks, and what passes between two of them. */
#include "see/stats_parts.h"

static struct stats_interval *find_interval(struct stats_marks *marks, uint32_t from, uint32_t to)
{
	struct stats_interval *interval = marks->intervals;
	struct stats_interval *end = interval + marks->interval_count;

	while (interval < end && (interval->from != from || interval->to != to))
		interval++;
	if (interval < end)
		return interval;
	if (marks->interval_count == STATS_INTERVALS)
		return &marks->others;
	marks->interval_count++;
	interval->from = from;
	interval->to = to;
	return interval;
}

static void add_interval(struct stats *stats, const struct stats_cpu *cpu, uint32_t mark,
	uint64_t ns, uint64_t count)
{
	struct stats_interval *interval = find_interval(&stats->marks, cpu->mark, mark);

	histogram_add(&interval->ns, ns - cpu->mark_ns);
	histogram_add(&interval->instructions, count - cpu->mark_instructions);
}

void stats_marked(struct stats *stats, const struct event *event, uint64_t ns)
{
	const struct views *views = stats->view.views;
	struct stats_marks *marks = &stats->marks;
	struct stats_cpu *cpu = &stats->cpus[event->cpu];
	uint64_t own = views->machine->instructions(views->ctx, event->cpu);

	if (marks->count < STATS_MARKS)
		marks->first[marks->count] = (struct stats_mark){
			.value = event->mark,
			.cpu = (unsigned)event->cpu,
			.ns = ns - atomic_load(&stats->run.moments[STATS_MAIN].ns),
			.instructions = views->machine->instructions(views->ctx, EVENT_NO_CPU) -
					stats->run.moments[STATS_FIRST_INSTRUCTION].instructions,
		};
	marks->count++;
	if (cpu->has_mark)
		add_interval(stats, cpu, event->mark, ns, own);
	cpu->has_mark = true;
	cpu->mark = event->mark;
	cpu->mark_ns = ns;
	cpu->mark_instructions = own;
}
