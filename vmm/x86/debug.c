/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- breakpoints ------------------------------------------------------------------------------ */

/* The index of a breakpoint, or where it belongs: they are sorted. */
static unsigned find(const struct x86_debug *debug, gpa_t gpa)
{
	unsigned low = 0, high = debug->breakpoint_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (debug->breakpoints[middle] < gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool x86_debug_has(const struct x86_system *system, gpa_t gpa)
{
	const struct x86_debug *debug = system->debug;
	unsigned at = find(debug, gpa);

	return at < debug->breakpoint_count && debug->breakpoints[at] == gpa;
}

int x86_debug_set_breakpoint(struct x86_system *system, gpa_t gpa, bool set)
{
	struct x86_debug *debug = system->debug;
	unsigned at = find(debug, gpa), behind;
	gpa_t *place = &debug->breakpoints[at];

	if (set == x86_debug_has(system, gpa))
		return 0;
	if (set && debug->breakpoint_count == X86_BREAKPOINTS_MAX)
		return -ENOSPC;
	behind = debug->breakpoint_count - at;
	if (!set) {
		memmove(place, place + 1, (behind - 1) * sizeof *place);
		debug->breakpoint_count--;
		return 0;
	}
	memmove(place + 1, place, behind * sizeof *place);
	*place = gpa;
	debug->breakpoint_count++;
	/* Blocks over it are decoded anew. */
	x86_memory_written(system, gpa, 1);
	return 0;
}

/* --- watchpoints ------------------------------------------------------------------------------ */

/* Bytes of a watchpoint that are not in RAM never change by themselves. */
static void look(
	const struct x86_system *system, const struct x86_watchpoint *point, uint8_t *bytes)
{
	if (gmem_read(system->gmem, point->gpa, bytes, point->len) < 0)
		memset(bytes, 0, point->len);
}

static bool is_same(const struct x86_watchpoint *a, const struct x86_watchpoint *b)
{
	return a->gpa == b->gpa && a->len == b->len && a->on_read == b->on_read &&
	       a->on_write == b->on_write;
}

static void flush_all(struct x86_system *system)
{
	for (unsigned i = 0; i < system->cpu_count; i++)
		x86_tlb_flush(&system->cpus[i], false);
}

static int add_watchpoint(struct x86_system *system, const struct x86_watchpoint *point)
{
	struct x86_debug *debug = system->debug;
	struct x86_watchpoint *added = &debug->watchpoints[debug->watchpoint_count];

	if (debug->watchpoint_count == X86_WATCHPOINTS_MAX || point->len > X86_WATCH_BYTES_MAX)
		return -ENOSPC;
	*added = *point;
	added->seen = malloc(point->len);
	if (added->seen == NULL)
		return -ENOMEM;
	look(system, added, added->seen);
	debug->watchpoint_count++;
	flush_all(system);
	return 0;
}

static void remove_watchpoint(struct x86_debug *debug, unsigned index)
{
	free(debug->watchpoints[index].seen);
	debug->watchpoints[index] = debug->watchpoints[--debug->watchpoint_count];
}

int x86_debug_set_watchpoint(
	struct x86_system *system, const struct x86_watchpoint *point, bool set)
{
	struct x86_debug *debug = system->debug;

	for (unsigned i = 0; i < debug->watchpoint_count; i++)
		if (is_same(&debug->watchpoints[i], point)) {
			if (!set)
				remove_watchpoint(debug, i);
			return 0;
		}
	return set ? add_watchpoint(system, point) : 0;
}

void x86_debug_clear(struct x86_system *system)
{
	struct x86_debug *debug = system->debug;

	debug->breakpoint_count = 0;
	while (debug->watchpoint_count > 0)
		remove_watchpoint(debug, 0);
	debug->is_hit = false;
}

static bool watches(const struct x86_watchpoint *point, enum x86_access access)
{
	return access & X86_WRITE ? point->on_write : point->on_read;
}

static bool overlaps(const struct x86_watchpoint *point, gpa_t gpa, uint64_t size)
{
	return point->gpa < gpa + size && gpa < point->gpa + point->len;
}

bool x86_debug_watches_page(const struct x86_system *system, gpa_t gpa, enum x86_access access)
{
	const struct x86_debug *debug = system->debug;

	for (unsigned i = 0; i < debug->watchpoint_count; i++) {
		const struct x86_watchpoint *point = &debug->watchpoints[i];

		if (watches(point, access) && overlaps(point, gpa & X86_PAGE_MASK, X86_PAGE_SIZE))
			return true;
	}
	return false;
}

static void hit(struct x86_debug *debug, const struct x86_watchpoint *point)
{
	/* The first one counts, if an instruction hits several. */
	if (!debug->is_hit)
		debug->hit = point->gpa;
	debug->is_hit = true;
}

void x86_debug_accessed(struct x86_cpu *cpu, gpa_t gpa, unsigned size, enum x86_access access)
{
	struct x86_debug *debug = cpu->system->debug;

	for (unsigned i = 0; i < debug->watchpoint_count; i++) {
		const struct x86_watchpoint *point = &debug->watchpoints[i];

		if (!watches(point, access) || !overlaps(point, gpa, size))
			continue;
		hit(debug, point);
		look(cpu->system, point, point->seen);
		cpu->leave = cpu->break_asked = true;
	}
}

void x86_debug_compare(struct x86_system *system)
{
	struct x86_debug *debug = system->debug;
	uint8_t bytes[X86_WATCH_BYTES_MAX];

	for (unsigned i = 0; i < debug->watchpoint_count; i++) {
		const struct x86_watchpoint *point = &debug->watchpoints[i];

		if (!point->on_write)
			continue;
		look(system, point, bytes);
		if (memcmp(bytes, point->seen, point->len) != 0)
			hit(debug, point);
		memcpy(point->seen, bytes, point->len);
	}
}
