/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUs leave guest code for, where, and what it costs. */
#include <string.h>

#include "see/sort.h"
#include "see/stats_parts.h"

/* --- finding ---------------------------------------------------------------------------------- */

static bool has_reason(const struct stats_reason *reason, const struct cpu_exit *exit)
{
	if (reason->kind != (int)exit->kind)
		return false;
	if (exit->kind == CPU_EXIT_OTHER)
		return strcmp(reason->name, exit->name) == 0;
	return reason->address == exit->address && reason->is_write == exit->is_write;
}

static struct stats_reason *find_reason(struct stats_exits *exits, const struct cpu_exit *exit)
{
	struct stats_reason *reason = exits->reasons;
	struct stats_reason *end = reason + exits->reason_count;

	while (reason < end && !has_reason(reason, exit))
		reason++;
	if (reason < end)
		return reason;
	if (exits->reason_count == STATS_REASONS)
		return &exits->other_reasons;
	exits->reason_count++;
	reason->kind = (int)exit->kind;
	reason->is_write = exit->is_write;
	reason->address = exit->kind == CPU_EXIT_OTHER ? 0 : exit->address;
	reason->name = exit->kind == CPU_EXIT_OTHER ? exit->name : NULL;
	return reason;
}

static struct stats_site *find_site(
	struct stats_exits *exits, const struct stats_reason *reason, uint64_t rip)
{
	uint64_t hash = (rip ^ (uint64_t)(uintptr_t)reason) * UINT64_C(0x9e3779b97f4a7c15);
	struct stats_site *site;
	unsigned slot = (unsigned)(hash >> 32) % STATS_SLOTS;

	for (;; slot = (slot + 1) % STATS_SLOTS) {
		site = &exits->sites[slot];
		if (site->reason == reason && site->rip == rip)
			return site;
		if (!site->reason)
			break;
	}
	if (exits->site_count == STATS_SITES)
		return &exits->other_sites;
	exits->site_count++;
	site->reason = reason;
	site->rip = rip;
	return site;
}

/* --- counting --------------------------------------------------------------------------------- */

void stats_exit_begins(struct stats *stats, const struct event *event, uint64_t rip, uint64_t ns)
{
	struct stats_cpu *cpu = &stats->cpus[event->cpu];
	struct stats_exit *open;

	if (cpu->depth++ >= STATS_NESTED)
		return;
	open = &cpu->open[cpu->depth - 1];
	*open = (struct stats_exit){.begun_ns = ns};
	open->reason = find_reason(&stats->exits, event->exit);
	open->site = find_site(&stats->exits, open->reason, rip);
}

void stats_exit_ends(struct stats *stats, const struct event *event, uint64_t ns)
{
	struct stats_cpu *cpu = &stats->cpus[event->cpu];
	const struct stats_exit *open;
	uint64_t all, own;

	if (cpu->depth == 0 || --cpu->depth >= STATS_NESTED)
		return;
	open = &cpu->open[cpu->depth];
	all = ns - open->begun_ns;
	own = all > open->inner_ns ? all - open->inner_ns : 0;
	if (cpu->depth > 0)
		cpu->open[cpu->depth - 1].inner_ns += all;
	cpu->exits++;
	cpu->ns += own;
	histogram_add(&open->reason->ns, own);
	open->site->count++;
	open->site->ns += own;
	if (own > open->site->ns_max)
		open->site->ns_max = own;
}

void stats_name_register(struct stats *stats, const struct event *event)
{
	const struct stats_cpu *cpu = event->cpu >= 0 ? &stats->cpus[event->cpu] : NULL;
	struct stats_reason *reason;

	if (!cpu || cpu->depth == 0 || cpu->depth > STATS_NESTED)
		return;
	reason = cpu->open[cpu->depth - 1].reason;
	if (reason->device || reason->kind != CPU_EXIT_MMIO ||
		reason == &stats->exits.other_reasons)
		return;
	reason->device = event->device->ops->name;
	reason->number = event->number;
	reason->reg = event->virtio->reg;
}

/* --- sorting ---------------------------------------------------------------------------------- */

static int more_expensive(const void *a, const void *b)
{
	const struct stats_site *left = a, *right = b;

	if (left->ns != right->ns)
		return left->ns < right->ns ? 1 : -1;
	return left->rip > right->rip ? 1 : left->rip < right->rip ? -1 : 0;
}

static int costs_more(const void *a, const void *b)
{
	const struct stats_reason *left = *(const struct stats_reason *const *)a;
	const struct stats_reason *right = *(const struct stats_reason *const *)b;

	return left->ns.sum < right->ns.sum ? 1 : left->ns.sum > right->ns.sum ? -1 : 0;
}

int stats_sort_exits(struct stats_exits *exits)
{
	unsigned count = 0;
	int ret;

	for (unsigned i = 0; i < exits->reason_count; i++)
		exits->order[i] = &exits->reasons[i];
	ret = sort(exits->order, exits->reason_count, sizeof *exits->order, costs_more);
	for (unsigned slot = 0; slot < STATS_SLOTS; slot++)
		if (exits->sites[slot].reason)
			exits->sites[count++] = exits->sites[slot];
	return ret < 0 ? ret : sort(exits->sites, count, sizeof *exits->sites, more_expensive);
}
