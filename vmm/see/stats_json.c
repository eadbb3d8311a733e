/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics as JSON: spec/stats.md has the keys. */
#include "see/json.h"
#include "see/stats_parts.h"
#include "version.h"

#define FORMAT 1 /* grows when a key changes its meaning or goes */

#define SITES_TOLD 256

static void write_distribution(
	struct json *json, const char *name, const struct histogram *histogram)
{
	json_begin_object(json, name, true);
	json_uint(json, "count", histogram->count);
	json_uint(json, "sum", histogram->sum);
	json_uint(json, "p50", histogram_quantile(histogram, 500));
	json_uint(json, "p99", histogram_quantile(histogram, 990));
	json_uint(json, "max", histogram->max);
	json_end_object(json);
}

/* A distribution that is not known with every engine. */
static void write_instructions(struct json *json, const char *name, const struct stats *stats,
	const struct histogram *histogram)
{
	if (stats_run_counts(&stats->run))
		write_distribution(json, name, histogram);
	else
		json_null(json, name);
}

static void write_count(
	struct json *json, const char *name, const struct stats *stats, uint64_t instructions)
{
	if (stats_run_counts(&stats->run))
		json_uint(json, name, instructions);
	else
		json_null(json, name);
}

/* --- moments and marks ------------------------------------------------------------------------ */

static const char *const moment_names[STATS_MOMENTS] = {
	[STATS_MAIN] = "main",
	[STATS_IMAGE] = "image_read",
	[STATS_ENGINE] = "engine_made",
	[STATS_LOADED] = "image_loaded",
	[STATS_DEVICES] = "devices_made",
	[STATS_SHUT_IN] = "shut_in",
	[STATS_FIRST_INSTRUCTION] = "first_instruction",
	[STATS_FIRST_EXIT] = "first_exit",
	[STATS_FIRST_OUTPUT] = "first_output",
	[STATS_END] = "end",
	[STATS_STOPPED] = "stopped",
	[STATS_DRAINED] = "drained",
	[STATS_FREED] = "freed",
};

static void write_moments(struct json *json, const struct stats *stats)
{
	json_uint(json, "before_main_cpu_ns", stats->run.before_main_ns);
	json_uint(json, "cpu_ns", stats->run.cpu_ns);
	json_begin_object(json, "moments", false);
	for (enum stats_moment moment = 0; moment < STATS_MOMENTS; moment++) {
		if (stats_run_awaits(&stats->run, moment)) {
			json_null(json, moment_names[moment]);
			continue;
		}
		json_begin_object(json, moment_names[moment], true);
		json_uint(json, "ns", stats_run_ns(&stats->run, moment));
		if (stats_moment_counts(moment))
			write_count(json, "instructions", stats,
				stats_run_instructions(&stats->run, moment));
		json_end_object(json);
	}
	json_end_object(json);
}

static void write_interval(
	struct json *json, const struct stats *stats, const struct stats_interval *interval)
{
	json_begin_object(json, NULL, true);
	json_uint(json, "from", interval->from);
	json_uint(json, "to", interval->to);
	write_distribution(json, "ns", &interval->ns);
	write_instructions(json, "instructions", stats, &interval->instructions);
	json_end_object(json);
}

static void write_marks(struct json *json, const struct stats *stats)
{
	const struct stats_marks *marks = &stats->marks;

	json_begin_object(json, "marks", false);
	json_uint(json, "count", marks->count);
	json_begin_array(json, "first", false);
	for (unsigned i = 0; i < marks->count && i < STATS_MARKS; i++) {
		json_begin_object(json, NULL, true);
		json_uint(json, "value", marks->first[i].value);
		json_uint(json, "cpu", marks->first[i].cpu);
		json_uint(json, "ns", marks->first[i].ns);
		write_count(json, "instructions", stats, marks->first[i].instructions);
		json_end_object(json);
	}
	json_end_array(json);
	json_begin_array(json, "intervals", false);
	for (unsigned i = 0; i < marks->interval_count; i++)
		write_interval(json, stats, &marks->intervals[i]);
	json_end_array(json);
	write_distribution(json, "other_intervals_ns", &marks->others.ns);
	json_end_object(json);
}

/* --- exits ------------------------------------------------------------------------------------ */

/* Adds what identifies a reason to the object that is open. */
static void write_key(struct json *json, const struct stats_reason *reason)
{
	switch (reason->kind) {
	case CPU_EXIT_PORT:
		json_string(json, "kind", reason->is_write ? "out" : "in");
		json_hex(json, "port", reason->address, 4);
		break;
	case CPU_EXIT_MMIO:
		json_string(json, "kind", reason->is_write ? "store" : "load");
		json_hex(json, "address", reason->address, 8);
		break;
	default:
		json_string(json, "kind", reason->name);
		break;
	}
	if (!reason->device)
		return;
	json_uint(json, "device", reason->number);
	json_string(json, "register", reason->reg);
}

static void write_reasons(struct json *json, const struct stats *stats)
{
	const struct stats_reason *const *order = stats->exits.order;
	unsigned count = stats->exits.reason_count;

	json_begin_array(json, "reasons", false);
	for (unsigned i = 0; i < count; i++) {
		json_begin_object(json, NULL, true);
		write_key(json, order[i]);
		write_distribution(json, "ns", &order[i]->ns);
		json_end_object(json);
	}
	json_end_array(json);
	write_distribution(json, "other_reasons_ns", &stats->exits.other_reasons.ns);
}

static void write_cost(struct json *json, uint64_t count, uint64_t ns, uint64_t ns_max)
{
	json_uint(json, "count", count);
	json_uint(json, "ns", ns);
	json_uint(json, "ns_max", ns_max);
}

static void write_site(struct json *json, const struct stats *stats, const struct stats_site *site)
{
	const struct views *views = stats->view.views;
	uint32_t offset = 0;
	const char *symbol = views->machine->symbol(views->ctx, site->rip, &offset);

	json_begin_object(json, NULL, true);
	json_hex(json, "at", site->rip, 8);
	json_string(json, "symbol", symbol);
	json_uint(json, "offset", offset);
	if (site->reason == &stats->exits.other_reasons)
		json_string(json, "kind", "other");
	else
		write_key(json, site->reason);
	write_cost(json, site->count, site->ns, site->ns_max);
	json_end_object(json);
}

static void write_sites(struct json *json, const struct stats *stats)
{
	struct stats_site others = stats->exits.other_sites;
	const struct stats_site *sites = stats->exits.sites;

	json_begin_array(json, "places", false);
	for (unsigned i = 0; i < stats->exits.site_count && i < SITES_TOLD; i++)
		write_site(json, stats, &sites[i]);
	json_end_array(json);
	for (unsigned i = SITES_TOLD; i < stats->exits.site_count; i++) {
		others.count += sites[i].count;
		others.ns += sites[i].ns;
		others.ns_max = sites[i].ns_max > others.ns_max ? sites[i].ns_max : others.ns_max;
	}
	json_begin_object(json, "other_places", true);
	write_cost(json, others.count, others.ns, others.ns_max);
	json_end_object(json);
}

static void write_exits(struct json *json, const struct stats *stats)
{
	json_begin_object(json, "exits", false);
	write_reasons(json, stats);
	write_sites(json, stats);
	json_end_object(json);
}

/* --- CPUs and counters ------------------------------------------------------------------------ */

/* cpu -1: of the machine. */
static void write_counters(struct json *json, const struct stats *stats, int cpu)
{
	if (!stats->counters) {
		json_null(json, "counters");
		return;
	}
	json_begin_object(json, "counters", false);
	for (const struct stats_counter *counter = stats->counters; counter;
		counter = counter->next) {
		if (counter->cpu != cpu)
			continue;
		if (counter->count == 1) {
			json_uint(json, counter->name, counter->values[0]);
			continue;
		}
		json_begin_array(json, counter->name, true);
		for (unsigned i = 0; i < counter->count; i++)
			json_uint(json, NULL, counter->values[i]);
		json_end_array(json);
	}
	json_end_object(json);
}

static void write_cpus(struct json *json, const struct stats *stats, unsigned count)
{
	json_begin_array(json, "cpus", false);
	for (unsigned i = 0; i < count; i++) {
		json_begin_object(json, NULL, false);
		json_uint(json, "exits", stats->cpus[i].exits);
		json_uint(json, "exits_ns", stats->cpus[i].ns);
		write_count(json, "instructions", stats, stats->cpus[i].instructions);
		write_counters(json, stats, (int)i);
		json_end_object(json);
	}
	json_end_array(json);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void write_queue(struct json *json, const struct stats *stats,
	const struct stats_queue *queue, const struct stats_spans *spans)
{
	json_begin_object(json, NULL, false);
	json_uint(json, "requests", queue->requests);
	json_uint(json, "completed", queue->completed);
	json_uint(json, "bytes_read", queue->bytes_read);
	json_uint(json, "bytes_written", queue->bytes_written);
	json_uint(json, "kicks", queue->kicks);
	json_uint(json, "interrupts", queue->interrupts);
	json_uint(json, "interrupts_suppressed", queue->suppressed);
	write_distribution(json, "kick_to_taken_ns", &spans->notify);
	write_distribution(json, "taken_to_used_ns", &spans->serve);
	write_distribution(json, "kick_to_interrupt_ns", &spans->respond);
	write_distribution(json, "interrupt_to_acknowledged_ns", &spans->acknowledge);
	write_instructions(json, "instructions_per_request", stats, &spans->instructions);
	json_end_object(json);
}

static void write_device(
	struct json *json, const struct stats *stats, const struct stats_device *device)
{
	json_begin_object(json, NULL, false);
	json_uint(json, "number", (uint64_t)(device - stats->devices));
	json_string(json, "name", device->name);
	json_uint(json, "acknowledgements", device->acknowledgements);
	json_uint(json, "configuration_interrupts", device->config_interrupts);
	json_uint(json, "kicks_of_no_queue", device->lost_kicks);
	write_distribution(json, "host_ns", &device->host);
	json_begin_array(json, "queues", false);
	for (unsigned i = 0; i < device->queue_count; i++)
		write_queue(json, stats, &device->queues[i], &device->spans[i]);
	json_end_array(json);
	json_end_object(json);
}

static void write_devices(struct json *json, const struct stats *stats)
{
	json_begin_array(json, "devices", false);
	for (unsigned i = 0; i < DEVICE_COUNT; i++)
		if (stats->devices[i].name)
			write_device(json, stats, &stats->devices[i]);
	json_end_array(json);
}

void stats_write_json(const struct stats *stats, FILE *file)
{
	struct json json = {.file = file};

	json_begin_object(&json, NULL, false);
	json_uint(&json, "format", FORMAT);
	json_string(&json, "vole", VOLE_VERSION);
	json_string(&json, "kernel", stats->run.kernel);
	json_string(&json, "command_line", stats->run.cmdline);
	json_string(&json, "engine", stats->run.engine);
	json_string(&json, "clock", stats->run.clock);
	json_uint(&json, "memory", stats->run.memory_size);
	json_uint(&json, "exit_status", (uint64_t)stats->run.status);
	write_moments(&json, stats);
	write_marks(&json, stats);
	write_exits(&json, stats);
	write_cpus(&json, stats, stats->run.cpu_count);
	write_counters(&json, stats, -1);
	write_devices(&json, stats);
	json_end_object(&json);
}
