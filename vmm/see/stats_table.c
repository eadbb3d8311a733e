/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics as a table for people. */
#include <inttypes.h>
#include <string.h>

#include "report.h"
#include "see/stats_parts.h"

/* Rows of a table that has most of the cost in its first ones. */
#define ROWS_MAX 12

#define US(ns) ((double)(ns) / 1000)

/* --- moments ---------------------------------------------------------------------------------- */

static const char *const moment_texts[STATS_MOMENTS] = {
	[STATS_MAIN] = "main() begins",
	[STATS_IMAGE] = "the image is read, files are open",
	[STATS_ENGINE] = "guest memory and CPUs are made",
	[STATS_LOADED] = "the image is in guest memory",
	[STATS_DEVICES] = "devices are made",
	[STATS_SHUT_IN] = "the sandbox is closed",
	[STATS_FIRST_INSTRUCTION] = "the guest's first instruction",
	[STATS_FIRST_EXIT] = "its first exit",
	[STATS_FIRST_OUTPUT] = "its first output is written",
	[STATS_END] = "the end",
	[STATS_STOPPED] = "all CPUs have stopped",
	[STATS_DRAINED] = "requests and output are done",
	[STATS_FREED] = "everything is freed",
};

/* A line of the table of moments. */
struct row {
	uint64_t ns, instructions;
	bool has_count;
	char text[64];
};

#define MOMENT_ROWS (STATS_MOMENTS + ROWS_MAX)

struct rows {
	unsigned count;
	struct row rows[MOMENT_ROWS]; /* the earliest one first */
};

/* Adds a row after those that are not later. */
static void add_row(struct rows *rows, const struct row *row)
{
	unsigned at = rows->count++;

	for (; at > 0 && rows->rows[at - 1].ns > row->ns; at--)
		rows->rows[at] = rows->rows[at - 1];
	rows->rows[at] = *row;
}

static void collect_moments(const struct stats *stats, struct rows *rows)
{
	for (enum stats_moment moment = 0; moment < STATS_MOMENTS; moment++) {
		struct row row = {.ns = stats_run_ns(&stats->run, moment),
			.instructions = stats_run_instructions(&stats->run, moment),
			.has_count = stats_moment_counts(moment)};

		if (stats_run_awaits(&stats->run, moment))
			continue;
		snprintf(row.text, sizeof row.text, "%s", moment_texts[moment]);
		add_row(rows, &row);
	}
	for (unsigned i = 0; i < stats->marks.count && i < ROWS_MAX; i++) {
		const struct stats_mark *mark = &stats->marks.first[i];
		struct row row = {
			.ns = mark->ns, .instructions = mark->instructions, .has_count = true};

		snprintf(row.text, sizeof row.text, "mark 0x%" PRIx32 ", CPU %u", mark->value,
			mark->cpu);
		add_row(rows, &row);
	}
}

static void write_moments(const struct stats *stats, FILE *file)
{
	struct rows rows = {0};
	bool counts = stats_run_counts(&stats->run);
	uint64_t before = 0;

	collect_moments(stats, &rows);
	fprintf(file, "\n    at, us      took%s\n", counts ? "  instructions" : "");
	fprintf(file, "            %10.1f  %*sCPU time before main(): execve, dynamic linking\n",
		US(stats->run.before_main_ns), counts ? 14 : 0, "");
	for (unsigned i = 0; i < rows.count; i++) {
		const struct row *row = &rows.rows[i];

		fprintf(file, "%10.1f  %10.1f  ", US(row->ns), US(row->ns - before));
		if (counts && row->has_count)
			fprintf(file, "%12" PRIu64 "  ", row->instructions);
		else if (counts)
			fprintf(file, "%14s", "");
		fprintf(file, "%s\n", row->text);
		before = row->ns;
	}
	if (stats->marks.count > ROWS_MAX)
		fprintf(file, "  and %" PRIu64 " more mark%s\n", stats->marks.count - ROWS_MAX,
			PLURAL(stats->marks.count - ROWS_MAX));
	fprintf(file, "            %10.1f  %*sCPU time of the whole process\n",
		US(stats->run.cpu_ns), counts ? 14 : 0, "");
}

/* --- distributions ---------------------------------------------------------------------------- */

static void write_head(FILE *file, const char *what)
{
	fprintf(file, "     count   total, us      mean       p50       p99       max  %s\n", what);
}

static void write_times(FILE *file, const struct histogram *ns)
{
	fprintf(file, "%10" PRIu64 "  %10.1f  %8.1f  %8.1f  %8.1f  %8.1f  ", ns->count, US(ns->sum),
		ns->count ? US(ns->sum) / (double)ns->count : 0, US(histogram_quantile(ns, 500)),
		US(histogram_quantile(ns, 990)), US(ns->max));
}

static void write_counts(FILE *file, const struct histogram *counts)
{
	fprintf(file,
		"%10" PRIu64 "  %10" PRIu64 "  %8.0f  %8" PRIu64 "  %8" PRIu64 "  %8" PRIu64 "  ",
		counts->count, counts->sum,
		counts->count ? (double)counts->sum / (double)counts->count : 0,
		histogram_quantile(counts, 500), histogram_quantile(counts, 990), counts->max);
}

/* --- marks ------------------------------------------------------------------------------------ */

static void write_intervals(const struct stats *stats, FILE *file)
{
	const struct stats_marks *marks = &stats->marks;
	uint64_t others = marks->others.ns.count;

	if (marks->interval_count == 0)
		return;
	fputc('\n', file);
	write_head(file, "from mark to mark");
	for (unsigned i = 0; i < marks->interval_count && i < ROWS_MAX; i++) {
		const struct stats_interval *interval = &marks->intervals[i];

		write_times(file, &interval->ns);
		fprintf(file, "0x%" PRIx32 " to 0x%" PRIx32 "\n", interval->from, interval->to);
		if (!stats_run_counts(&stats->run))
			continue;
		write_counts(file, &interval->instructions);
		fprintf(file, "  instructions\n");
	}
	for (unsigned i = ROWS_MAX; i < marks->interval_count; i++)
		others += marks->intervals[i].ns.count;
	if (others)
		fprintf(file, "%10" PRIu64 "  between other marks\n", others);
}

/* --- exits ------------------------------------------------------------------------------------ */

static void write_reason(FILE *file, const struct stats_reason *reason)
{
	if (reason->kind == CPU_EXIT_OTHER)
		fprintf(file, "%s", reason->name);
	else if (reason->kind == CPU_EXIT_PORT)
		fprintf(file, "%s 0x%04" PRIx64, reason->is_write ? "out" : "in", reason->address);
	else
		fprintf(file, "%s 0x%08" PRIx64, reason->is_write ? "store" : "load",
			reason->address);
	if (reason->device)
		fprintf(file, " (device %u, %s%s%s)", reason->number, reason->device,
			reason->reg ? ": " : "", reason->reg ? reason->reg : "");
}

static void write_reasons(const struct stats *stats, FILE *file)
{
	const struct stats_reason *const *order = stats->exits.order;
	unsigned count = stats->exits.reason_count;
	uint64_t others = stats->exits.other_reasons.ns.count;
	uint64_t others_ns = stats->exits.other_reasons.ns.sum;

	if (count == 0)
		return;
	fputc('\n', file);
	write_head(file, "exits, by reason");
	for (unsigned i = 0; i < count && i < ROWS_MAX; i++) {
		write_times(file, &order[i]->ns);
		write_reason(file, order[i]);
		fputc('\n', file);
	}
	for (unsigned i = ROWS_MAX; i < count; i++) {
		others += order[i]->ns.count;
		others_ns += order[i]->ns.sum;
	}
	if (others)
		fprintf(file, "%10" PRIu64 "  %10.1f  for other reasons\n", others, US(others_ns));
}

static void write_site(const struct stats *stats, FILE *file, const struct stats_site *site)
{
	const struct views *views = stats->view.views;
	uint32_t offset;
	const char *symbol = views->machine->symbol(views->ctx, site->rip, &offset);

	fprintf(file, "%10" PRIu64 "  %10.1f  %8.1f  %8.1f  0x%08" PRIx64, site->count,
		US(site->ns), US(site->ns) / (double)site->count, US(site->ns_max), site->rip);
	if (symbol)
		fprintf(file, " (%.80s+0x%" PRIx32 ")", symbol, offset);
	fprintf(file, ": ");
	if (site->reason == &stats->exits.other_reasons)
		fprintf(file, "other reasons");
	else
		write_reason(file, site->reason);
	fputc('\n', file);
}

static void write_sites(const struct stats *stats, FILE *file)
{
	const struct stats_exits *exits = &stats->exits;
	uint64_t others = exits->other_sites.count, others_ns = exits->other_sites.ns;

	if (exits->site_count == 0)
		return;
	fprintf(file,
		"\n     count   total, us      mean       max  exits, by place in the kernel\n");
	for (unsigned i = 0; i < exits->site_count && i < ROWS_MAX; i++)
		if (exits->sites[i].count)
			write_site(stats, file, &exits->sites[i]);
	for (unsigned i = ROWS_MAX; i < exits->site_count; i++) {
		others += exits->sites[i].count;
		others_ns += exits->sites[i].ns;
	}
	if (others)
		fprintf(file, "%10" PRIu64 "  %10.1f  at other places\n", others, US(others_ns));
}

/* Writes how much of the time from the first instruction to the end each CPU spent in vole. */
static void write_cpus(const struct stats *stats, unsigned count, FILE *file)
{
	uint64_t all = stats_run_ns(&stats->run, STATS_STOPPED) -
		       stats_run_ns(&stats->run, STATS_FIRST_INSTRUCTION);

	fputc('\n', file);
	for (unsigned i = 0; i < count; i++) {
		const struct stats_cpu *cpu = &stats->cpus[i];

		fprintf(file, "CPU %u: %" PRIu64 " exit%s, %.1f of %.1f us in vole (%.1f %%)", i,
			cpu->exits, PLURAL(cpu->exits), US(cpu->ns), US(all),
			all ? 100 * (double)cpu->ns / (double)all : 0);
		if (stats_run_counts(&stats->run))
			fprintf(file, "; %" PRIu64 " instruction%s", cpu->instructions,
				PLURAL(cpu->instructions));
		fputc('\n', file);
	}
}

/* --- queues ----------------------------------------------------------------------------------- */

static void write_span(FILE *file, const struct histogram *ns, const char *what)
{
	if (ns->count == 0)
		return;
	write_times(file, ns);
	fprintf(file, "%s\n", what);
}

static void write_queue(const struct stats *stats, unsigned number, unsigned index, FILE *file)
{
	const struct stats_device *device = &stats->devices[number];
	const struct stats_queue *queue = &device->queues[index];
	const struct stats_spans *spans = &device->spans[index];

	if (!queue->is_used)
		return;
	fprintf(file,
		"\ndevice %u, %s, queue %u: %" PRIu64 " request%s, %" PRIu64 " used; %" PRIu64
		" byte%s to the device, %" PRIu64 " from it;\n"
		"  %" PRIu64 " kick%s; %" PRIu64 " interrupt%s, %" PRIu64
		" suppressed by the driver\n",
		number, device->name, index, queue->requests, PLURAL(queue->requests),
		queue->completed, queue->bytes_read, PLURAL(queue->bytes_read),
		queue->bytes_written, queue->kicks, PLURAL(queue->kicks), queue->interrupts,
		PLURAL(queue->interrupts), queue->suppressed);
	if (queue->completed == 0)
		return;
	write_head(file, "requests");
	write_span(file, &spans->notify, "from a kick until a request is taken");
	write_span(file, &spans->serve, "from then until it is used");
	write_span(file, &spans->respond, "from a kick until its interrupt");
	write_span(file, &spans->acknowledge, "from an interrupt until it is acknowledged");
	if (!stats_run_counts(&stats->run) || spans->instructions.count == 0)
		return;
	write_counts(file, &spans->instructions);
	fprintf(file, "instructions from a used request to the next\n");
}

static void write_device(const struct stats *stats, unsigned number, FILE *file)
{
	const struct stats_device *device = &stats->devices[number];

	if (!device->name)
		return;
	for (unsigned i = 0; i < device->queue_count; i++)
		write_queue(stats, number, i, file);
	write_span(file, &device->host, "the host works for a request");
	if (device->lost_kicks)
		fprintf(file, "  %" PRIu64 " kick%s of queues that device %u does not have\n",
			device->lost_kicks, PLURAL(device->lost_kicks), number);
}

/* --- counters --------------------------------------------------------------------------------- */

#define LINE_MAX 96

/* cpu -1: of the machine. Histograms are for JSON. */
static void write_counters(const struct stats *stats, int cpu, FILE *file)
{
	char item[96], head[16] = "the VM";
	size_t used = 0;

	if (cpu >= 0)
		snprintf(head, sizeof head, "CPU %d", cpu);
	for (const struct stats_counter *counter = stats->counters; counter;
		counter = counter->next) {
		size_t len;

		if (counter->cpu != cpu || counter->count != 1 || counter->values[0] == 0)
			continue;
		len = (size_t)snprintf(
			item, sizeof item, "%s %" PRIu64, counter->name, counter->values[0]);
		if (used == 0)
			used = (size_t)fprintf(file, "  %s: %s", head, item);
		else if (used + len > LINE_MAX)
			used = (size_t)fprintf(file, ",\n    %s", item);
		else
			used += (size_t)fprintf(file, ", %s", item);
	}
	if (used)
		fputc('\n', file);
}

static void write_all_counters(const struct stats *stats, unsigned cpu_count, FILE *file)
{
	if (!stats->counters)
		return;
	fprintf(file, "\nKVM's counters that are not 0\n");
	for (int cpu = -1; cpu < (int)cpu_count; cpu++)
		write_counters(stats, cpu, file);
}

void stats_write_table(const struct stats *stats, FILE *file)
{
	fprintf(file, "\nstatistics of %s: engine %s, clock %s, %u CPU%s, exit status %d\n",
		stats->run.kernel, stats->run.engine, stats->run.clock, stats->run.cpu_count,
		PLURAL(stats->run.cpu_count), stats->run.status);
	write_moments(stats, file);
	write_intervals(stats, file);
	write_cpus(stats, stats->run.cpu_count, file);
	write_reasons(stats, file);
	write_sites(stats, file);
	for (unsigned i = 0; i < DEVICE_COUNT; i++)
		write_device(stats, i, file);
	write_all_counters(stats, stats->run.cpu_count, file);
}
