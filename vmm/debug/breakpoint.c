/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints and watchpoints. They are kept by physical address: one that is set before the kernel
 * turns on paging holds after it, and under every mapping.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "debug/gdb_parts.h"
#include "log.h"

/* By the type of the packet Z. */
static const enum debug_point_kind kinds[] = {
	DEBUG_BREAKPOINT,
	DEBUG_HARDWARE_BREAKPOINT,
	DEBUG_WATCH_WRITE,
	DEBUG_WATCH_READ,
	DEBUG_WATCH_ACCESS,
};

static bool is_breakpoint(const struct gdb_point *point)
{
	return point->point.kind <= DEBUG_HARDWARE_BREAKPOINT;
}

/* Returns how many bytes the point of a packet has: 1 at least. Where a watchpoint has a length, a
 * breakpoint has a kind. */
static uint64_t point_len(unsigned type, uint64_t len)
{
	return len == 0 || kinds[type] <= DEBUG_HARDWARE_BREAKPOINT ? 1 : len;
}

static struct gdb_point *find(struct gdb *gdb, unsigned type, uint64_t address, uint64_t len)
{
	for (unsigned i = 0; i < gdb->point_count; i++) {
		struct gdb_point *point = &gdb->points[i];

		if (point->type == type && point->address == address && point->len == len)
			return point;
	}
	return NULL;
}

static int tell_engine(struct gdb *gdb, const struct gdb_point *point, bool set)
{
	struct engine *engine = gdb->machine.engine;

	return engine->ops->debug->set_point(engine, &point->point, set);
}

static int remove_point(struct gdb *gdb, struct gdb_point *point)
{
	gpa_t gpa = point->point.gpa;
	int ret = tell_engine(gdb, point, false);

	*point = gdb->points[--gdb->point_count];
	/* The engine may have removed others in the same place together with this one. */
	for (unsigned i = 0; i < gdb->point_count; i++)
		if (gdb->points[i].point.gpa == gpa)
			tell_engine(gdb, &gdb->points[i], true);
	return ret;
}

/* Removes each part of a point. Returns 0, or -errno of the last part. */
static int remove_parts(struct gdb *gdb, unsigned type, uint64_t address, uint64_t len)
{
	struct gdb_point *point;
	int ret = 0;

	while ((point = find(gdb, type, address, len)) != NULL)
		ret = remove_point(gdb, point);
	return ret;
}

/* Adds a part of a point, from done bytes on, and adds its length to *done. */
static int add_part(struct gdb *gdb, unsigned type, uint64_t address, uint64_t len, uint64_t *done)
{
	struct gdb_point *point = &gdb->points[gdb->point_count];
	uint64_t part;
	gpa_t gpa;
	int ret = gdb_locate_part(gdb, address + *done, len - *done, &gpa, &part);

	if (ret < 0)
		return ret;
	if (gdb->point_count == GDB_POINTS_MAX) {
		say("--gdb: there is no room for a point at 0x%08" PRIx64
		    ": %u breakpoints and watchpoints are set",
			address, gdb->point_count);
		return -ENOSPC;
	}
	*point = (struct gdb_point){
		.type = type,
		.address = address,
		.len = len,
		.point = {.kind = kinds[type],
			.gpa = gpa,
			.linear = address + *done,
			.len = (uint32_t)part},
	};
	*done += part;
	ret = tell_engine(gdb, point, true);
	if (ret == 0)
		gdb->point_count++;
	return ret;
}

int gdb_set_point(struct gdb *gdb, unsigned type, uint64_t address, uint64_t len)
{
	uint64_t done = 0;
	int ret = 0;

	if (type >= sizeof kinds / sizeof *kinds)
		return -EINVAL;
	if (len > UINT32_MAX) {
		say("--gdb: there is no room for a point of %" PRIu64 " bytes at 0x%08" PRIx64, len,
			address);
		return -ENOSPC;
	}
	len = point_len(type, len);
	if (find(gdb, type, address, len))
		return 0;
	while (ret == 0 && done < len)
		ret = add_part(gdb, type, address, len, &done);
	if (ret < 0)
		remove_parts(gdb, type, address, len);
	return ret;
}

int gdb_clear_point(struct gdb *gdb, unsigned type, uint64_t address, uint64_t len)
{
	if (type >= sizeof kinds / sizeof *kinds)
		return -EINVAL;
	return remove_parts(gdb, type, address, point_len(type, len));
}

void gdb_clear_points(struct gdb *gdb)
{
	while (gdb->point_count > 0)
		remove_point(gdb, &gdb->points[gdb->point_count - 1]);
}

void gdb_lift_breakpoints(struct gdb *gdb, gpa_t gpa, bool lift)
{
	for (unsigned i = 0; i < gdb->point_count; i++)
		if (is_breakpoint(&gdb->points[i]) && gdb->points[i].point.gpa == gpa)
			tell_engine(gdb, &gdb->points[i], !lift);
}

const struct gdb_point *gdb_breakpoint_of(struct gdb *gdb, unsigned cpu, bool *is_here)
{
	uint64_t linear = gdb_position(gdb, cpu);
	const struct gdb_point *found = NULL;
	gpa_t gpa;

	*is_here = false;
	gdb->cpu = cpu;
	if (gdb_locate_linear(gdb, linear, &gpa) < 0)
		return NULL;
	for (unsigned i = 0; i < gdb->point_count; i++) {
		const struct gdb_point *point = &gdb->points[i];

		if (!is_breakpoint(point) || point->point.gpa != gpa)
			continue;
		if (!*is_here)
			found = point;
		*is_here |= point->address == linear;
		if (*is_here)
			break;
	}
	return found;
}

const struct gdb_point *gdb_watchpoint_of(const struct gdb *gdb, const struct debug_event *event)
{
	for (unsigned i = 0; i < gdb->point_count; i++) {
		const struct gdb_point *point = &gdb->points[i];

		if (!is_breakpoint(point) && point->point.gpa == event->gpa)
			return point;
	}
	return NULL;
}
