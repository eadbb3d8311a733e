/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger asks while the machine stands: appendix E.2 to E.5 of "Debugging with GDB" has
 * the packets. A request that is malformed is replied to with an error, one that is unknown with an
 * empty packet, and neither changes anything.
 */
#include <errno.h>
#include <string.h>

#include "debug/gdb_parts.h"
#include "debug/hex.h"

/* The number of an error that a function returned. */
static void put_errno(struct gdb *gdb, int ret)
{
	switch (ret) {
	case 0:
		gdb_put(&gdb->reply, "OK");
		break;
	case -EFAULT:
		gdb_put_error(&gdb->reply, GDB_ERROR_FAULT);
		break;
	case -ENOSPC:
	case -ENOMEM:
		gdb_put_error(&gdb->reply, GDB_ERROR_NO_SPACE);
		break;
	case -ENOTSUP: /* as a packet that is not known */
		break;
	default:
		gdb_put_error(&gdb->reply, GDB_ERROR_MALFORMED);
		break;
	}
}

static void put_malformed(struct gdb *gdb)
{
	gdb_put_error(&gdb->reply, GDB_ERROR_MALFORMED);
}

/* --- threads ---------------------------------------------------------------------------------- */

/* Reads a thread's number at *text. *cpu is GDB_ALL for all, and the CPU that stopped for any. */
static bool read_thread(const struct gdb *gdb, const char **text, unsigned *cpu)
{
	uint64_t id;

	if (strncmp(*text, "-1", 2) == 0) {
		*text += 2;
		*cpu = GDB_ALL;
		return true;
	}
	if (!hex_number(text, &id) || id > gdb->machine.cpu_count)
		return false;
	*cpu = id == 0 ? gdb->stop.cpu : (unsigned)id - 1;
	return true;
}

static void select_thread(struct gdb *gdb, const char *text)
{
	char what = *text;
	unsigned cpu;

	text += what != '\0';
	if ((what != 'g' && what != 'c') || !read_thread(gdb, &text, &cpu) || *text) {
		put_malformed(gdb);
		return;
	}
	if (what == 'c')
		gdb->step_cpu = cpu;
	else if (cpu != GDB_ALL)
		gdb->cpu = cpu;
	gdb_put(&gdb->reply, "OK");
}

static void is_alive(struct gdb *gdb, const char *text)
{
	unsigned cpu;

	if (read_thread(gdb, &text, &cpu) && !*text)
		gdb_put(&gdb->reply, "OK");
	else
		put_malformed(gdb);
}

/* --- registers and memory --------------------------------------------------------------------- */

static void read_register(struct gdb *gdb, const char *text)
{
	uint64_t number;

	if (!hex_number(&text, &number) || *text || gdb_put_register(gdb, number) < 0)
		put_malformed(gdb);
}

static void write_register(struct gdb *gdb, const char *text)
{
	uint64_t number;

	if (!hex_number(&text, &number) || !hex_skip(&text, '='))
		put_malformed(gdb);
	else
		put_errno(gdb, gdb_set_register(gdb, number, text));
}

/* Reads "ADDRESS,LENGTH" at *text. */
static bool read_range(const char **text, uint64_t *address, uint64_t *len)
{
	return hex_number(text, address) && hex_skip(text, ',') && hex_number(text, len);
}

static void read_memory(struct gdb *gdb, const char *text)
{
	uint8_t bytes[PACKET_MAX / 2];
	uint64_t address, len;
	size_t count;

	if (!read_range(&text, &address, &len) || *text) {
		put_malformed(gdb);
		return;
	}
	count = gdb_read(gdb, address, bytes, len < sizeof bytes ? (size_t)len : sizeof bytes);
	if (count == 0 && len > 0)
		gdb_put_error(&gdb->reply, GDB_ERROR_FAULT);
	else
		gdb_put_hex(&gdb->reply, bytes, count);
}

static void write_memory(struct gdb *gdb, const char *text)
{
	uint8_t bytes[PACKET_MAX / 2];
	uint64_t address, len;

	if (!read_range(&text, &address, &len) || !hex_skip(&text, ':') || len > sizeof bytes ||
		!hex_bytes(text, bytes, (size_t)len))
		put_malformed(gdb);
	else
		put_errno(gdb, gdb_write(gdb, address, bytes, (size_t)len));
}

/* The same, with bytes as they are. */
static void write_binary(struct gdb *gdb, const char *text)
{
	const char *end = gdb->packet.bytes + gdb->packet.len;
	uint64_t address, len;

	if (!read_range(&text, &address, &len) || !hex_skip(&text, ':') ||
		len != (uint64_t)(end - text))
		put_malformed(gdb);
	else
		put_errno(gdb, gdb_write(gdb, address, text, (size_t)len));
}

static void change_point(struct gdb *gdb, const char *text, bool set)
{
	uint64_t type, address, len;

	/* A breakpoint has its kind instead of a length, and may have conditions behind it, which
	 * were not offered. */
	if (!hex_number(&text, &type) || !hex_skip(&text, ',') ||
		!read_range(&text, &address, &len) || *text)
		put_malformed(gdb);
	else if (type > 4)
		return; /* An empty answer: such points are not known. */
	else if (set)
		put_errno(gdb, gdb_set_point(gdb, (unsigned)type, address, len));
	else
		put_errno(gdb, gdb_clear_point(gdb, (unsigned)type, address, len));
}

/* --- going on --------------------------------------------------------------------------------- */

static void set_all(struct gdb *gdb, enum cpu_go go)
{
	for (unsigned i = 0; i < gdb->machine.cpu_count; i++)
		gdb->go[i] = go;
}

/* "c" and "s", both with an address perhaps; "C" and "S" have a signal before it, of which the CPUs
 * have none. */
static bool go_simply(struct gdb *gdb, const char *text, bool is_step, bool has_signal)
{
	unsigned cpu = gdb->step_cpu == GDB_ALL ? gdb->stop.cpu : gdb->step_cpu;
	unsigned selected = gdb->cpu;
	bool has_address;
	uint64_t number;

	if (has_signal && (!hex_number(&text, &number) || (*text && !hex_skip(&text, ';')))) {
		put_malformed(gdb);
		return false;
	}
	has_address = *text != '\0';
	if (has_address && (!hex_number(&text, &number) || *text)) {
		put_malformed(gdb);
		return false;
	}
	gdb->cpu = cpu;
	if (has_address && gdb_set_position(gdb, number) < 0) {
		gdb->cpu = selected;
		put_malformed(gdb);
		return false;
	}
	set_all(gdb, is_step ? CPU_HOLD : CPU_GO);
	if (is_step)
		gdb->go[cpu] = CPU_STEP;
	return true;
}

/* Reads an action of vCont at *text: "c", "s", "C05" or "S05". */
static bool read_action(const char **text, enum cpu_go *go)
{
	char what = **text;
	uint64_t signal;

	if (what == '\0' || !strchr("cCsS", what))
		return false;
	(*text)++;
	*go = what == 's' || what == 'S' ? CPU_STEP : CPU_GO;
	return what == 'c' || what == 's' || hex_number(text, &signal);
}

/* "vCont;ACTION[:THREAD]...": for each CPU the first action that names it counts. */
static bool read_actions(struct gdb *gdb, const char *text)
{
	bool is_set[GDB_CPUS_MAX] = {false};

	set_all(gdb, CPU_HOLD);
	if (*text == '\0')
		return false;
	while (hex_skip(&text, ';')) {
		unsigned cpu = GDB_ALL;
		enum cpu_go go;

		if (!read_action(&text, &go) ||
			(hex_skip(&text, ':') && !read_thread(gdb, &text, &cpu)))
			return false;
		for (unsigned i = 0; i < gdb->machine.cpu_count; i++) {
			if (is_set[i] || (cpu != GDB_ALL && cpu != i))
				continue;
			is_set[i] = true;
			gdb->go[i] = go;
		}
	}
	return *text == '\0';
}

static bool go_as_told(struct gdb *gdb, const char *text)
{
	if (read_actions(gdb, text))
		return true;
	put_malformed(gdb);
	return false;
}

/* --- questions -------------------------------------------------------------------------------- */

/* "OFFSET,LENGTH" of a document. */
static void put_part(struct gdb *gdb, const char *document, const char *text)
{
	size_t all = strlen(document);
	uint64_t offset, len;

	if (!read_range(&text, &offset, &len) || *text || offset > all) {
		put_malformed(gdb);
		return;
	}
	/* Each byte may be escaped. */
	if (len > PACKET_MAX / 2 - 1)
		len = PACKET_MAX / 2 - 1;
	gdb_put(&gdb->reply, offset + len < all ? "m" : "l");
	gdb_put_bytes(&gdb->reply, document + offset,
		len < all - offset ? (size_t)len : all - (size_t)offset);
}

static void put_features(struct gdb *gdb, const char *text)
{
	gdb->knows_swbreak = strstr(text, "swbreak+") && strstr(text, "hwbreak+");
	gdb_put(&gdb->reply,
		"PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:threads:read+;"
		"vContSupported+;swbreak+;hwbreak+%s",
		PACKET_MAX,
		gdb->host->can_reverse(gdb->ctx) ? ";ReverseStep+;ReverseContinue+" : "");
}

static void put_threads(struct gdb *gdb)
{
	gdb_put(&gdb->reply, "m");
	for (unsigned i = 0; i < gdb->machine.cpu_count; i++)
		gdb_put(&gdb->reply, "%s%x", i == 0 ? "" : ",", i + 1);
}

static void put_thread_info(struct gdb *gdb, const char *text)
{
	const char *activity;
	unsigned cpu;

	if (!read_thread(gdb, &text, &cpu) || *text || cpu == GDB_ALL) {
		put_malformed(gdb);
		return;
	}
	activity = gdb_activity(gdb, cpu);
	gdb_put_hex(&gdb->reply, activity, strlen(activity));
}

static void run_monitor(struct gdb *gdb, const char *text)
{
	struct engine *engine = gdb->machine.engine;
	char command[256] = "";
	size_t len = strlen(text) / 2;
	struct text reply;

	if (len >= sizeof command || strlen(text) % 2 != 0 || !hex_bytes(text, command, len)) {
		put_malformed(gdb);
		return;
	}
	text_begin(&reply);
	if (strcmp(command, "physical on") == 0 || strcmp(command, "physical off") == 0) {
		gdb->is_physical = command[10] == 'n';
		text_line(&reply, "addresses are %s now",
			gdb->is_physical ? "physical" : "linear, as the CPU has them");
	} else {
		gdb->host->monitor(gdb->ctx, engine->ops->cpu(engine, gdb->cpu), command, &reply);
	}
	gdb_tell(gdb, text_lines(&reply));
	gdb_put(&gdb->reply, "OK");
}

/* Returns what follows prefix in text, NULL if it does not begin so. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static void answer_query(struct gdb *gdb, const char *text)
{
	struct text document;
	const char *rest;

	if ((rest = behind(text, "Supported")) != NULL) {
		put_features(gdb, rest);
	} else if ((rest = behind(text, "Xfer:features:read:target.xml:")) != NULL) {
		gdb_describe_target(gdb, &document);
		put_part(gdb, text_lines(&document), rest);
	} else if ((rest = behind(text, "Xfer:threads:read::")) != NULL) {
		gdb_describe_threads(gdb, &document);
		put_part(gdb, text_lines(&document), rest);
	} else if ((rest = behind(text, "Rcmd,")) != NULL) {
		run_monitor(gdb, rest);
	} else if ((rest = behind(text, "ThreadExtraInfo,")) != NULL) {
		put_thread_info(gdb, rest);
	} else if (strcmp(text, "fThreadInfo") == 0) {
		put_threads(gdb);
	} else if (strcmp(text, "sThreadInfo") == 0) {
		gdb_put(&gdb->reply, "l");
	} else if (strcmp(text, "C") == 0) {
		gdb_put(&gdb->reply, "QC%x", gdb->stop.cpu + 1);
	} else if (strcmp(text, "Attached") == 0) {
		/* gdb kills what it has started, and leaves what was there before. */
		gdb_put(&gdb->reply, gdb->link.options->kind == GDB_STDIO ? "0" : "1");
	}
}

static bool answer_v(struct gdb *gdb, const char *text)
{
	const char *rest;

	if (strcmp(text, "Cont?") == 0)
		gdb_put(&gdb->reply, "vCont;c;C;s;S");
	else if ((rest = behind(text, "Cont")) != NULL)
		return go_as_told(gdb, rest);
	return false;
}

/* Answers a request about registers or memory. Returns false if it is about something else. */
static bool answer_data(struct gdb *gdb, char request, const char *text)
{
	switch (request) {
	case 'g':
		gdb_put_registers(gdb);
		return true;
	case 'G':
		put_errno(gdb, gdb_set_registers(gdb, text));
		return true;
	case 'p':
		read_register(gdb, text);
		return true;
	case 'P':
		write_register(gdb, text);
		return true;
	case 'm':
		read_memory(gdb, text);
		return true;
	case 'M':
		write_memory(gdb, text);
		return true;
	case 'X':
		write_binary(gdb, text);
		return true;
	default:
		return false;
	}
}

bool gdb_request(struct gdb *gdb)
{
	const char *text = gdb->packet.bytes + 1;
	char request = gdb->packet.bytes[0];

	if (answer_data(gdb, request, text))
		return false;
	switch (request) {
	case 'b':
		gdb_go_back(gdb, text);
		break;
	case '?':
		gdb_put_stop(gdb);
		break;
	case 'Z':
	case 'z':
		change_point(gdb, text, request == 'Z');
		break;
	case 'H':
		select_thread(gdb, text);
		break;
	case 'T':
		is_alive(gdb, text);
		break;
	case 'c':
	case 's':
		return go_simply(gdb, text, request == 's', false);
	case 'C':
	case 'S':
		return go_simply(gdb, text, request == 'S', true);
	case 'q':
		answer_query(gdb, text);
		break;
	case 'v':
		return answer_v(gdb, text);
	}
	return false;
}
