/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb server's state machine. The machine's threads tell of their stops by an eventfd; the
 * debugger's bytes come from its link; both are served on the I/O thread.
 */
#include "debug/gdb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "container.h"
#include "debug/gdb_parts.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"

/* A CPU that is in the middle of an instruction, because its output waits for a reader for
 * instance, is looked at again after so many nanoseconds. */
#define AGAIN_NS 10000000

/* --- stopping --------------------------------------------------------------------------------- */

/* The machine is to stop, for this reason unless there is another one already. */
static void want_stop(struct gdb *gdb, const struct gdb_stop *stop)
{
	if (!gdb->is_asked)
		gdb->asked = *stop;
	gdb->is_asked = true;
	if (gdb->state == GDB_RUNNING)
		gdb->state = GDB_STOPPING;
	io_event_signal(gdb->event.fd);
}

void gdb_stopped(struct gdb *gdb, const struct cpu *cpu, const struct debug_event *event)
{
	pthread_mutex_lock(&gdb->lock);
	if (!gdb->told)
		gdb->told_stop =
			(struct gdb_stop){.cause = GDB_STOP_EVENT, .cpu = cpu->id, .event = *event};
	gdb->told = true;
	pthread_mutex_unlock(&gdb->lock);
	io_event_signal(gdb->event.fd);
}

/* A breakpoint of a kernel's virtual address was met before paging, or where the same memory is
 * mapped, too: gdb takes it for a place that it does not know. */
static void explain_breakpoint(struct gdb *gdb)
{
	char text[160];
	bool is_here;
	const struct gdb_point *point = gdb_breakpoint_of(gdb, gdb->stop.cpu, &is_here);

	if (!point || is_here)
		return;
	snprintf(text, sizeof text,
		"vole: the breakpoint at 0x%08" PRIx64 " is met at %s, 0x%08" PRIx64 "\n",
		point->point.linear,
		gdb->stop_position == point->point.gpa ? "its physical address"
						       : "another address of the same memory",
		gdb->stop_position);
	gdb_tell(gdb, text);
}

/* Tells the debugger why the machine stands, if it waits for that. */
static void tell_stop(struct gdb *gdb)
{
	gdb->stop_position = gdb_position(gdb, gdb->stop.cpu);
	if (!gdb->is_awaited)
		return;
	gdb_forward_output(gdb);
	if (gdb->stop.cause == GDB_STOP_EVENT && gdb->stop.event.kind == DEBUG_EVENT_BREAKPOINT)
		explain_breakpoint(gdb);
	gdb_put_stop(gdb);
	gdb->is_awaited = false;
	gdb_send(gdb);
}

static void set_engine_go(struct gdb *gdb, const enum cpu_go *go)
{
	struct engine *engine = gdb->machine.engine;

	for (unsigned i = 0; i < gdb->machine.cpu_count; i++)
		engine->ops->debug->go(engine, i, go[i]);
}

static void resume(struct gdb *gdb)
{
	gdb->state = GDB_RUNNING;
	gdb->is_asked = false;
	gdb->told = false; /* no CPU executes, so none tells */
	gdb_link_hear_guest(&gdb->link, true);
	gdb->host->resume(gdb->ctx);
}

/* Has the machine go on without a debugger. */
static void go_alone(struct gdb *gdb)
{
	gdb->is_detached = false;
	for (unsigned i = 0; i < GDB_CPUS_MAX; i++)
		gdb->go[i] = CPU_GO;
	set_engine_go(gdb, gdb->go);
	resume(gdb);
}

static void stand(struct gdb *gdb)
{
	gdb->state = GDB_STOPPED;
	if (gdb->is_stale)
		gdb_clear_points(gdb);
	gdb->is_stale = false;
	if (gdb->is_detached) {
		go_alone(gdb);
		return;
	}
	gdb_link_hear_guest(&gdb->link, false);
	gdb_link_hear(&gdb->link, true);
	tell_stop(gdb);
}

/* The instruction at a breakpoint was executed alone. Returns true if that is all that happened and
 * the debugger has asked for more than that: then the machine goes on. */
static bool end_pass(struct gdb *gdb)
{
	bool is_step =
		gdb->stop.cause == GDB_STOP_EVENT && gdb->stop.event.kind == DEBUG_EVENT_STEP;

	gdb->is_passing = false;
	gdb_lift_breakpoints(gdb, gdb->passed, false);
	if (!is_step || gdb->go[gdb->stop.cpu] == CPU_STEP)
		return false;
	if (gdb->is_asked) {
		gdb->stop = gdb->asked;
		return false;
	}
	set_engine_go(gdb, gdb->go);
	resume(gdb);
	return true;
}

/* Sets why the machine stops. What a CPU tells is worth more than that a user has asked for it. */
static void choose_stop(struct gdb *gdb)
{
	pthread_mutex_lock(&gdb->lock);
	if (gdb->told && gdb->state == GDB_RUNNING)
		gdb->state = GDB_STOPPING;
	gdb->stop = gdb->told ? gdb->told_stop : gdb->asked;
	pthread_mutex_unlock(&gdb->lock);
}

static bool is_ending(const struct gdb *gdb)
{
	struct cpu *cpu = gdb->machine.engine->ops->cpu(gdb->machine.engine, 0);

	return !cpu->host->running(cpu);
}

/* Waits for the CPUs, if the machine is to stop. Of one that ends just then, the debugger is told
 * that alone, by gdb_ended() or gdb_exited(). */
static void look(struct gdb *gdb)
{
	if (gdb->state != GDB_RUNNING && gdb->state != GDB_STOPPING)
		return;
	choose_stop(gdb);
	if (gdb->state != GDB_STOPPING)
		return;
	if (gdb->host->pause(gdb->ctx) < 0)
		io_timer_set(&gdb->again, AGAIN_NS, 0);
	else if (is_ending(gdb))
		resume(gdb);
	else if (!gdb->is_passing || !end_pass(gdb))
		stand(gdb);
}

static void event_ready(struct io_source *source)
{
	io_event_clear(source->fd);
	look(container_of(source, struct gdb, event));
}

static void again_ready(struct io_source *source)
{
	io_event_clear(source->fd);
	look(container_of(source, struct gdb, again));
}

/* --- going on --------------------------------------------------------------------------------- */

/* Whether the CPU still stands where a breakpoint has stopped it; sets gdb->passed. */
static bool has_to_pass(struct gdb *gdb)
{
	const struct gdb_point *point;
	bool is_here;

	if (gdb->stop.cause != GDB_STOP_EVENT || gdb->stop.event.kind != DEBUG_EVENT_BREAKPOINT ||
		gdb->go[gdb->stop.cpu] == CPU_HOLD ||
		gdb_position(gdb, gdb->stop.cpu) != gdb->stop_position)
		return false;
	point = gdb_breakpoint_of(gdb, gdb->stop.cpu, &is_here);
	if (point)
		gdb->passed = point->point.gpa;
	return point;
}

static void go(struct gdb *gdb)
{
	enum cpu_go alone[GDB_CPUS_MAX];

	gdb->is_awaited = true;
	if (gdb->state == GDB_ENDED) {
		gdb->state = GDB_OVER;
		return;
	}
	gdb->is_passing = has_to_pass(gdb);
	if (gdb->is_passing) {
		for (unsigned i = 0; i < GDB_CPUS_MAX; i++)
			alone[i] = i == gdb->stop.cpu ? CPU_STEP : CPU_HOLD;
		gdb_lift_breakpoints(gdb, gdb->passed, true);
	}
	set_engine_go(gdb, gdb->is_passing ? alone : gdb->go);
	resume(gdb);
}

/* The debugger is gone, and what it has set goes with it. */
static void forget_debugger(struct gdb *gdb)
{
	gdb->is_awaited = false;
	gdb->no_ack = gdb->knows_swbreak = gdb->is_physical = false;
	gdb->cpu = 0;
	gdb->step_cpu = GDB_ALL;
	gdb->last_len = gdb->reply.len = 0;
	gdb->packet.state = PACKET_BETWEEN;
	if (gdb->state == GDB_STOPPED)
		gdb_clear_points(gdb);
	gdb->is_stale = gdb->state != GDB_STOPPED;
	if (gdb->state == GDB_ENDED)
		gdb->state = GDB_OVER;
}

static void detach(struct gdb *gdb)
{
	gdb_put(&gdb->reply, "OK");
	gdb_send(gdb);
	gdb_link_flush(&gdb->link, GDB_FLUSH_MS);
	forget_debugger(gdb);
	gdb_link_drop(&gdb->link);
	if (gdb->state == GDB_STOPPED) {
		go_alone(gdb);
		return;
	}
	/* A machine that executes stops once more, so that the debugger's points are removed: at
	 * one of them it would stand, and nobody might come to have it go on. */
	if (gdb->state == GDB_RUNNING)
		want_stop(gdb, &(struct gdb_stop){.cause = GDB_STOP_ATTACHED});
	gdb->is_detached = gdb->state == GDB_STOPPING;
}

static void kill_machine(struct gdb *gdb)
{
	gdb_link_flush(&gdb->link, GDB_FLUSH_MS);
	gdb_link_drop(&gdb->link);
	if (gdb->state == GDB_ENDED)
		gdb->state = GDB_OVER;
	gdb->host->kill(gdb->ctx);
}

/* --- the debugger ----------------------------------------------------------------------------- */

static void came(void *ctx)
{
	struct gdb *gdb = ctx;

	gdb->is_detached = false;
	/* It is heard once the machine stands. */
	if (gdb->state == GDB_RUNNING)
		want_stop(gdb, &(struct gdb_stop){.cause = GDB_STOP_ATTACHED});
	gdb_link_hear(&gdb->link, gdb->state != GDB_STOPPING);
}

static void left(void *ctx)
{
	struct gdb *gdb = ctx;
	bool is_end = gdb->link.options->lost_is_end;

	forget_debugger(gdb);
	if (gdb->state == GDB_OVER)
		return;
	say("--gdb %s: the debugger has disappeared; %s", gdb->link.options->text,
		is_end ? "the machine ends" : "the machine stands until another one connects");
	if (is_end)
		gdb->host->lose(gdb->ctx);
	else if (gdb->state == GDB_RUNNING)
		want_stop(gdb, &(struct gdb_stop){.cause = GDB_STOP_ATTACHED});
}

/* Requests that end the connection, or are about it. Returns false if this is none. */
static bool handle_connection(struct gdb *gdb)
{
	const char *text = gdb->packet.bytes;

	if (*text == 'k' || strncmp(text, "vKill;", 6) == 0) {
		if (*text == 'v') {
			gdb_put(&gdb->reply, "OK");
			gdb_send(gdb);
		}
		kill_machine(gdb);
		return true;
	}
	if (*text == 'D') {
		detach(gdb);
		return true;
	}
	if (strcmp(text, "QStartNoAckMode") == 0) {
		gdb_put(&gdb->reply, "OK");
		gdb_send(gdb);
		gdb->no_ack = true;
		return true;
	}
	return false;
}

static void handle_packet(struct gdb *gdb)
{
	if (!gdb->no_ack)
		gdb_link_send(&gdb->link, "+", 1);
	if (handle_connection(gdb))
		return;
	/* While the machine executes, a debugger has nothing to ask. */
	if (gdb->state != GDB_STOPPED && gdb->state != GDB_ENDED)
		return;
	if (gdb_request(gdb))
		go(gdb);
	else
		gdb_send(gdb);
}

static void handle(struct gdb *gdb, enum packet_event event)
{
	switch (event) {
	case PACKET_COMPLETE:
		handle_packet(gdb);
		break;
	case PACKET_DAMAGED:
		if (!gdb->no_ack)
			gdb_link_send(&gdb->link, "-", 1);
		break;
	case PACKET_REFUSED:
		if (!gdb->no_ack)
			gdb_link_send(&gdb->link, gdb->last, gdb->last_len);
		break;
	case PACKET_INTERRUPT:
		if (gdb->state == GDB_RUNNING)
			want_stop(
				gdb, &(struct gdb_stop){.cause = GDB_STOP_ASKED, .cpu = gdb->cpu});
		break;
	case PACKET_ACCEPTED:
	case PACKET_NOTHING:
		break;
	}
}

static void took(void *ctx, const uint8_t *bytes, size_t len)
{
	struct gdb *gdb = ctx;
	size_t begin = 0;

	for (size_t i = 0; i < len && gdb_link_is_there(&gdb->link); i++) {
		bool acknowledges = !gdb->no_ack;
		enum packet_event event;

		if (gdb->packet.state == PACKET_BETWEEN)
			begin = i;
		event = packet_take(&gdb->packet, bytes[i]);
		handle(gdb, event);
		if (event == PACKET_COMPLETE && acknowledges)
			i += packet_copies(bytes + begin, i + 1 - begin, len - begin);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

static const struct gdb_link_ops link_ops = {
	.came = came,
	.took = took,
	.left = left,
	.output = gdb_output_ready,
};

int gdb_input_fd(const struct gdb *gdb)
{
	return gdb->link.in;
}

int gdb_open(struct gdb **opened, const struct gdb_options *options, struct io_loop *loop,
	const struct gdb_host *host, void *ctx)
{
	struct gdb *gdb = calloc(1, sizeof *gdb);
	int ret;

	*opened = gdb;
	if (!gdb) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	gdb->loop = loop;
	gdb->host = host;
	gdb->ctx = ctx;
	gdb->state = GDB_STOPPING;
	gdb->step_cpu = GDB_ALL;
	gdb->link = GDB_LINK_EMPTY;
	gdb->again.fd = -1;
	pthread_mutex_init(&gdb->lock, NULL);
	gdb->event = (struct io_source){.fd = io_event_open(), .ready = event_ready};
	ret = gdb->event.fd < 0 ? gdb->event.fd : io_loop_add_control(loop, &gdb->event, EPOLLIN);
	if (ret == 0)
		ret = io_timer_add_control(loop, &gdb->again, again_ready);
	return ret < 0 ? ret : gdb_link_open(&gdb->link, options, loop, &link_ops, gdb);
}

void gdb_close(struct gdb *gdb)
{
	if (!gdb)
		return;
	if (gdb->link.bytes)
		gdb_link_close(&gdb->link);
	file_close(&gdb->event.fd);
	file_close(&gdb->again.fd);
	pthread_mutex_destroy(&gdb->lock);
	free(gdb);
}

void gdb_begin(struct gdb *gdb, const struct gdb_machine *machine)
{
	const struct gdb_options *options = gdb->link.options;

	gdb->machine = *machine;
	gdb->host->pause(gdb->ctx);
	want_stop(gdb, &(struct gdb_stop){.cause = GDB_STOP_ATTACHED});
	if (options->kind == GDB_UNIX)
		say("the machine waits for a debugger: (gdb) target remote %s", options->path);
	else if (options->kind == GDB_TCP)
		say("the machine waits for a debugger: (gdb) target remote :%u", options->port);
}

void gdb_ended(
	struct gdb *gdb, enum gdb_end end, unsigned cpu, const struct cpu_registers *registers)
{
	if (!gdb->is_awaited)
		return;
	gdb->state = GDB_ENDED;
	gdb->reported = registers;
	gdb->stop = (struct gdb_stop){
		.cause = end == GDB_END_CRASH     ? GDB_STOP_CRASH
			 : end == GDB_END_TIMEOUT ? GDB_STOP_TIMEOUT
						  : GDB_STOP_RECORD,
		.cpu = cpu,
	};
	/* With standard input and output, gdb shows vole's standard error itself. */
	if (gdb->link.options->kind != GDB_STDIO && end != GDB_END_RECORD)
		gdb_tell(gdb, "vole: the machine has ended; why is said on vole's "
			      "standard error\n");
	tell_stop(gdb);
}

bool gdb_serve_ended(struct gdb *gdb, int other)
{
	while (gdb->state == GDB_ENDED && gdb_link_is_there(&gdb->link))
		if (!gdb_link_serve(&gdb->link, other))
			return true;
	return false;
}

void gdb_exited(struct gdb *gdb, int status)
{
	gdb_forward_all_output(gdb);
	if (gdb->is_awaited) {
		if (gdb->stop.cause == GDB_STOP_CRASH)
			gdb_put(&gdb->reply, "X0b");
		else
			gdb_put(&gdb->reply, "W%02x", (unsigned)status & 0xff);
		gdb_send(gdb);
	}
	gdb->is_awaited = false;
	gdb_link_flush(&gdb->link, GDB_FLUSH_MS);
	gdb_link_drop(&gdb->link);
}
