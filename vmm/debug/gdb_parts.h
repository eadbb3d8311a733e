/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GDB_PARTS_H
#define VMM_GDB_PARTS_H

/*
 * The gdb server's structures, for the files that make it up: gdb.c (the state machine), gdb_link.c
 * (the way to the debugger), gdb_output.c (what the guest prints), packet.c (framing), gdb_reply.c,
 * gdb_requests.c (what is asked), gdb_stop.c (what is said of a stop), gdb_reverse.c,
 * gdb_registers.c, gdb_memory.c, breakpoint.c, gdb_target.c (the descriptions that gdb reads).
 */

#include <pthread.h>

#include "debug/gdb_host.h"
#include "debug/gdb_link.h"
#include "debug/packet.h"

/* Points that a debugger may set. */
#define GDB_POINTS_MAX 1024

/* A breakpoint or watchpoint, as the debugger has set it, and as the engine has it. A watchpoint
 * over pages that are not neighbours in memory is several of these. */
struct gdb_point {
	unsigned type; /* of the packets Z and z: 0 to 4 */
	uint64_t address, len;
	struct debug_point point;
};

/* Why the machine stands. */
struct gdb_stop {
	enum {
		GDB_STOP_ATTACHED, /* at its first instruction, or since a debugger came */
		GDB_STOP_ASKED,    /* the user typed ^C */
		GDB_STOP_EVENT,    /* event */
		GDB_STOP_CRASH,
		GDB_STOP_TIMEOUT,
		GDB_STOP_RECORD, /* what is repeated ends here */
	} cause;
	bool is_beginning; /* going back has come to where the past begins */
	unsigned cpu;
	struct debug_event event;
};

/* The content of a packet that is sent. */
struct gdb_reply {
	size_t len;
	char bytes[PACKET_MAX + 1];
};

struct gdb {
	struct gdb_link link;
	struct io_loop *loop;
	const struct gdb_host *host;
	void *ctx;
	struct gdb_machine machine;

	enum {
		GDB_RUNNING,
		GDB_STOPPING, /* pause() was called, and not all CPUs have come */
		GDB_STOPPED,
		GDB_ENDED, /* the machine has ended, and can be looked at */
		GDB_OVER,  /* nothing is left to be looked at */
	} state;
	const struct cpu_registers *reported; /* GDB_ENDED: of gdb_ended() */
	struct gdb_stop stop;                 /* why it stands */
	bool is_asked; /* the machine is to stop, for this reason unless a CPU tells one */
	struct gdb_stop asked;
	bool is_stale;    /* the points are those of a debugger that has disappeared */
	bool is_detached; /* GDB_STOPPING: it goes on then, since the debugger has detached */
	bool is_awaited;  /* the debugger has had it continue, and waits to be told of the stop */

	/* CPUs' threads tell of their stops: the first one since the last resume() counts. */
	struct io_source event; /* an eventfd */
	struct io_source again; /* a timer: looks again whether the CPUs have come */
	pthread_mutex_t lock;   /* guards told and told_stop */
	bool told;
	struct gdb_stop told_stop;

	/* How each CPU goes on; and whether one first executes the instruction at the breakpoint
	 * that has stopped it, alone and without its points. */
	enum cpu_go go[GDB_CPUS_MAX];
	bool is_passing;
	gpa_t passed;           /* is_passing: where that breakpoint is */
	uint64_t stop_position; /* of the CPU that has stopped, when the debugger was told */

	struct packet packet;
	bool no_ack;        /* the debugger wants no acknowledgements */
	bool knows_swbreak; /* it understands why a stop is one at a breakpoint */
	unsigned cpu;       /* the one whose registers and memory are meant: Hg */
	unsigned step_cpu;  /* the one that the packets c and s mean: Hc; or GDB_ALL */
	bool is_physical;   /* addresses are physical: "monitor physical on" */
	size_t last_len;    /* the packet that was sent last, to be sent again */
	char last[PACKET_BYTES_MAX];
	struct gdb_reply reply;

	unsigned point_count;
	struct gdb_point points[GDB_POINTS_MAX];
};

#define GDB_ALL UINT32_MAX

/* --- gdb_reply.c ------------------------------------------------------------------------------ */

/* Adds text to the reply; what does not fit is left out. */
void gdb_put(struct gdb_reply *reply, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds bytes to it: as they are, or as hexadecimal digits. */
void gdb_put_bytes(struct gdb_reply *reply, const char *bytes, size_t len);
void gdb_put_hex(struct gdb_reply *reply, const void *bytes, size_t len);

/* Sends the reply and makes it empty. */
void gdb_send(struct gdb *gdb);

/* Sends text for the debugger's user. The reply is empty. */
void gdb_send_output(struct gdb *gdb, const char *bytes, size_t len);

/* Sends lines of vole's own for him, of any length. */
void gdb_tell(struct gdb *gdb, const char *text);

/* Adds an error with this number, which gdb shows. */
void gdb_put_error(struct gdb_reply *reply, unsigned number);

/* Numbers: those that gdb's own stubs use. */
#define GDB_ERROR_MALFORMED 0x01
#define GDB_ERROR_FAULT     0x14 /* there is no memory; 14 in the protocol's digits */
#define GDB_ERROR_NO_SPACE  0x1c

/* --- gdb_output.c ----------------------------------------------------------------------------- */

/* How long the debugger may take to read what is sent last, in milliseconds. */
#define GDB_FLUSH_MS 1000

/* Sends what the guest has put out, as far as there is room for it. gdb takes output only while it
 * waits for a stop, or for the reply to "monitor"; what comes at other times is dropped. */
void gdb_forward_output(struct gdb *gdb);

/* Sends all that the guest has put out. Waits for a debugger that takes it slowly, but not for one
 * that takes none. */
void gdb_forward_all_output(struct gdb *gdb);

/* Sends what the guest has put out when the link says so: is gdb_link_ops.output. */
void gdb_output_ready(void *ctx);

/* --- gdb_stop.c ------------------------------------------------------------------------------- */

/* Adds the reason of the stop to the reply: what "?" asks for. */
void gdb_put_stop(struct gdb *gdb);

/* --- gdb_requests.c --------------------------------------------------------------------------- */

/* Handles the request in gdb->packet, while the machine stands, and makes the reply. Returns true
 * if the machine is to go on, each CPU as gdb->go says: then there is no reply. */
bool gdb_request(struct gdb *gdb);

/* --- gdb_reverse.c ---------------------------------------------------------------------------- */

/* Handles "bs" or "bc"; text is what follows the b. Makes the reply. */
void gdb_go_back(struct gdb *gdb, const char *text);

/* --- gdb_registers.c -------------------------------------------------------------------------- */

/* Adds all registers to the reply, or the one with this number. Registers that vole does not have
 * are "x". Return 0, or -EINVAL if there is no such register. */
int gdb_put_registers(struct gdb *gdb);
int gdb_put_register(struct gdb *gdb, uint64_t number);

/* Set all registers by their digits, or one. Registers that cannot be set are left alone by the
 * first function, and are an error of the second: -EINVAL, as for both if nothing can be changed
 * now. */
int gdb_set_registers(struct gdb *gdb, const char *digits);
int gdb_set_register(struct gdb *gdb, uint64_t number, const char *digits);

/* Sets the linear address at which the CPU goes on. 0 or -errno. */
int gdb_set_position(struct gdb *gdb, uint64_t linear);

/* Returns the linear address of the CPU's next instruction, 0 if it is not known. */
uint64_t gdb_position(struct gdb *gdb, unsigned cpu);

/* Adds the target description's registers to text. */
void gdb_describe_registers(bool is_64, struct text *text);

/* --- gdb_memory.c ----------------------------------------------------------------------------- */

/* Sets *gpa to where a linear address is: by the CPU's paging, or, where that has no memory there,
 * where the kernel's image has it. Returns 0 or -EFAULT. */
int gdb_locate_linear(struct gdb *gdb, uint64_t linear, gpa_t *gpa);

/* Sets *gpa to where an address is that the debugger has named: a physical one if gdb->is_physical,
 * else as gdb_locate_linear() does. Returns 0 or -EFAULT. */
int gdb_locate(struct gdb *gdb, uint64_t address, gpa_t *gpa);

/* Sets *gpa as gdb_locate(), and *part to how many of len bytes from there on, 1 at least, lie in
 * neighbouring memory. Returns as gdb_locate(). */
int gdb_locate_part(struct gdb *gdb, uint64_t address, uint64_t len, gpa_t *gpa, uint64_t *part);

/* Reads up to len bytes of memory. Returns how many there are; never touches a device. */
size_t gdb_read(struct gdb *gdb, uint64_t linear, void *bytes, size_t len);

/* Writes memory, also where the guest may only read. Returns 0; or -EFAULT where there is no
 * memory, or -EINVAL if nothing can be changed now: then nothing was written. */
int gdb_write(struct gdb *gdb, uint64_t linear, const void *bytes, size_t len);

/* --- breakpoint.c ----------------------------------------------------------------------------- */

/* Sets a point, or removes it; type, address and length are those of the packets Z and z. 0 or
 * -errno. */
int gdb_set_point(struct gdb *gdb, unsigned type, uint64_t address, uint64_t len);
int gdb_clear_point(struct gdb *gdb, unsigned type, uint64_t address, uint64_t len);

/* Removes all points. */
void gdb_clear_points(struct gdb *gdb);

/* Returns the breakpoint that the CPU stands at, and sets *is_here to whether it is at the address
 * by which the debugger knows it; or the watchpoint that an event is of; or NULL. */
const struct gdb_point *gdb_breakpoint_of(struct gdb *gdb, unsigned cpu, bool *is_here);
const struct gdb_point *gdb_watchpoint_of(const struct gdb *gdb, const struct debug_event *event);

/* Takes the breakpoints at an address out of the engine for a while, or back. */
void gdb_lift_breakpoints(struct gdb *gdb, gpa_t gpa, bool lift);

/* --- gdb_target.c ----------------------------------------------------------------------------- */

/* Make the documents that gdb reads: the registers, and the threads with what they do. */
void gdb_describe_target(const struct gdb *gdb, struct text *text);
void gdb_describe_threads(const struct gdb *gdb, struct text *text);

/* Returns what a CPU does, in a word or two: "halted". */
const char *gdb_activity(const struct gdb *gdb, unsigned cpu);

#endif
