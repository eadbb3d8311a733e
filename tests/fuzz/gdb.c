/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb server: the bytes of a debugger, as they come, on a machine of three CPUs that stands. A
 * request that has it go on is one after which it has stopped again.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "debug/gdb_parts.h"
#include "input.h"

#define CPUS      3
#define RAM_BASE  0x1000
#define RAM_SIZE  0x8000
#define ROM_BASE  0x9000
#define ROM_SIZE  0x1000
#define POINT_MAX 8

static uint8_t bytes[ROM_BASE + ROM_SIZE];
static const struct gmem_region regions[] = {
	{.base = RAM_BASE, .size = RAM_SIZE, .host = bytes + RAM_BASE, .writable = true},
	{.base = ROM_BASE, .size = ROM_SIZE, .host = bytes + ROM_BASE},
};
static struct memory memory;
static struct cpu cpus[CPUS];
static struct cpu_registers registers[CPUS];
static struct debug_point held[POINT_MAX];
static unsigned points;

static int get_registers(struct cpu *cpu, struct cpu_registers *to)
{
	*to = registers[cpu->id];
	return 0;
}

/* The last pages of the address space are those of RAM, the others are not mapped. */
static int translate(struct cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	(void)cpu;
	*gpa = (uint32_t)linear - 0xffff0000;
	return linear >= 0xffff0000 && linear <= UINT32_MAX ? 0 : -EFAULT;
}

static const struct cpu_ops cpu_ops = {.registers = get_registers, .translate = translate};

static struct cpu *get_cpu(struct engine *engine, unsigned id)
{
	(void)engine;
	assert(id < CPUS);
	return &cpus[id];
}

static int get_state(struct engine *engine, unsigned id, struct cpu_state *state)
{
	(void)engine;
	assert(id < CPUS);
	*state = (struct cpu_state){.activity = (enum cpu_activity)id};
	return 0;
}

/* Returns the index of a point that is set, or points. */
static unsigned find_point(const struct debug_point *point)
{
	unsigned i = 0;

	while (i < points && (held[i].kind != point->kind || held[i].gpa != point->gpa ||
				     held[i].len != point->len))
		i++;
	return i;
}

/* Has each point once, however often it is set. */
static int set_point(struct engine *engine, const struct debug_point *point, bool set)
{
	unsigned i = find_point(point);

	(void)engine;
	assert(gmem_ptr(&memory.gmem, point->gpa, 1, GMEM_READ) && point->len > 0);
	assert(set || i < points);
	if (set && i == POINT_MAX)
		return -ENOSPC;
	if (set && i == points)
		held[points++] = *point;
	else if (!set)
		held[i] = held[--points];
	return 0;
}

static int set_registers(struct engine *engine, unsigned id, const struct cpu_registers *to)
{
	(void)engine;
	assert(id < CPUS);
	registers[id] = *to;
	return 0;
}

static const struct engine_debug_ops debug_ops = {
	.set_point = set_point, .set_registers = set_registers};
static const struct engine_ops engine_ops = {
	.cpu = get_cpu, .state = get_state, .debug = &debug_ops};
static struct engine engine = {.ops = &engine_ops};

static int locate(void *ctx, uint64_t linear, uint64_t *gpa)
{
	(void)ctx;
	*gpa = linear;
	return linear < sizeof bytes ? 0 : -EFAULT;
}

static void monitor(void *ctx, struct cpu *cpu, const char *command, struct text *reply)
{
	(void)ctx;
	(void)cpu;
	text_line(reply, "%s", command);
}

static bool can_reverse(void *ctx)
{
	(void)ctx;
	return true;
}

/* The past cannot be changed; every other request is for it. */
static bool may_change(void *ctx)
{
	static unsigned asked;

	(void)ctx;
	return ++asked % 2 == 0;
}

static int reverse(void *ctx, unsigned cpu, bool is_step, struct gdb_past *past)
{
	(void)ctx;
	assert(cpu < CPUS);
	*past = (struct gdb_past){.is_beginning = points % 2, .cpu = is_step ? cpu : CPUS - 1};
	past->event.kind = is_step ? DEBUG_EVENT_STEP : DEBUG_EVENT_WATCH;
	return points % 3 == 2 ? -ENOMEM : 0;
}

static const struct gdb_host host = {
	.locate = locate,
	.monitor = monitor,
	.can_reverse = can_reverse,
	.may_change = may_change,
	.reverse = reverse,
};
static const struct gdb_options options = {.kind = GDB_UNIX};

static void reset(struct gdb *gdb)
{
	memory = (struct memory){.host = bytes, .size = sizeof bytes};
	memory.gmem.regions = regions;
	memory.gmem.count = sizeof regions / sizeof *regions;
	memset(registers, 0, sizeof registers);
	for (unsigned i = 0; i < CPUS; i++)
		cpus[i] = (struct cpu){.ops = &cpu_ops, .id = i, .gmem = &memory.gmem};
	points = 0;
	*gdb = (struct gdb){
		.link = GDB_LINK_EMPTY,
		.host = &host,
		.machine = {.engine = &engine, .memory = &memory, .cpu_count = CPUS},
		.state = GDB_STOPPED,
		.step_cpu = GDB_ALL,
	};
	gdb->link.options = &options;
}

/* A request was answered, or the machine went on and has stopped again. */
static void check(struct gdb *gdb, bool goes_on)
{
	assert(gdb->reply.len <= PACKET_MAX && gdb->cpu < CPUS);
	assert(gdb->step_cpu < CPUS || gdb->step_cpu == GDB_ALL);
	assert(!goes_on || gdb->reply.len == 0);
	assert(gdb->point_count <= GDB_POINTS_MAX);
	gdb_send(gdb);
	assert(gdb->last_len <= sizeof gdb->last);
	if (!goes_on)
		return;
	gdb->stop = (struct gdb_stop){
		.cause = GDB_STOP_EVENT,
		.cpu = (gdb->stop.cpu + 1) % CPUS,
		.event = {.kind = gdb->point_count % 3},
	};
	gdb_put_stop(gdb);
	gdb_send(gdb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gdb gdb;

	reset(&gdb);
	gdb.machine.is_64 = size % 2;
	for (size_t i = 0; i < size; i++)
		if (packet_take(&gdb.packet, data[i]) == PACKET_COMPLETE)
			check(&gdb, gdb_request(&gdb));
	gdb_clear_points(&gdb);
	assert(points == 0);
	return 0;
}
