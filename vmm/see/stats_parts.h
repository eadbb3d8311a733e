/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STATS_PARTS_H
#define VMM_STATS_PARTS_H

/*
 * The parts of --stats: stats.c is the view, stats_run.c has the moments, stats_exits.c,
 * stats_marks.c and stats_queues.c count, stats_table.c and stats_json.c tell. All is guarded by
 * the lock of the views; after views_close() it belongs to the I/O thread.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cpu/exit_log.h"
#include "io/sink.h"
#include "layout.h"
#include "options.h"
#include "see/histogram.h"
#include "see/stats_run.h"
#include "see/views.h"

/* --- exits ------------------------------------------------------------------------------------ */

#define STATS_REASONS 128  /* reasons of exits that are told apart */
#define STATS_SITES   4096 /* reasons at an instruction */
#define STATS_SLOTS   (2 * STATS_SITES)

/* How deep exits inside of an exit are timed: an instruction that vole completes for KVM can access
 * devices. */
#define STATS_NESTED 4

/* Why a CPU leaves guest code: the first four are the key. */
struct stats_reason {
	int kind; /* CPU_EXIT_ value */
	bool is_write;
	uint64_t address; /* port, or guest-physical */
	const char *name; /* CPU_EXIT_OTHER; NULL in others */

	/* A register of a virtio device, NULL: it is none, or its name is not known. */
	const char *device, *reg;
	unsigned number; /* of the device */

	struct histogram ns; /* vole's work, without that of exits inside of it */
};

/* A reason at an instruction. */
struct stats_site {
	const struct stats_reason *reason; /* NULL: the slot is free */
	uint64_t rip;                      /* linear address */
	uint64_t count, ns, ns_max;
};

/* An exit that is being handled. */
struct stats_exit {
	struct stats_reason *reason;
	struct stats_site *site;
	uint64_t begun_ns, inner_ns; /* inner: of exits inside of it */
};

struct stats_cpu {
	uint64_t exits, ns;    /* and the work for them */
	uint64_t instructions; /* executed at the end; 0: not known */
	unsigned depth;        /* exits that are being handled */
	struct stats_exit open[STATS_NESTED];

	/* The last mark. */
	bool has_mark;
	uint32_t mark;
	uint64_t mark_ns, mark_instructions;
};

struct stats_exits {
	unsigned reason_count;
	struct stats_reason reasons[STATS_REASONS];
	struct stats_reason other_reasons;               /* all further ones */
	const struct stats_reason *order[STATS_REASONS]; /* set by stats_sort_exits() */
	unsigned site_count;
	struct stats_site sites[STATS_SLOTS]; /* a hash table */
	struct stats_site other_sites;
};

/* --- marks ------------------------------------------------------------------------------------ */

#define STATS_MARKS     256 /* that are told one by one, the first ones */
#define STATS_INTERVALS 64  /* pairs of values that follow each other */

struct stats_mark {
	uint32_t value;
	unsigned cpu;
	uint64_t ns, instructions; /* since main(); of all CPUs */
};

/* Time and instructions between a mark and the next one of the same CPU. */
struct stats_interval {
	uint32_t from, to;
	struct histogram ns, instructions; /* instructions: of this CPU */
};

struct stats_marks {
	uint64_t count;
	struct stats_mark first[STATS_MARKS];
	unsigned interval_count;
	struct stats_interval intervals[STATS_INTERVALS];
	struct stats_interval others; /* all further pairs */
};

/* --- queues ----------------------------------------------------------------------------------- */

struct stats_queue {
	bool is_used; /* something has happened to it */
	uint64_t requests, completed, bytes_read, bytes_written;
	uint64_t kicks, interrupts, suppressed;

	/* Times at which something began; 0: nothing has. An answer to a kick is an interrupt, or
	 * the decision to send none. */
	uint64_t kicked_ns, interrupted_ns;
	uint64_t unanswered_ns; /* the first kick since the last answer */
	bool has_completed;
	uint64_t instructions_then; /* when the last request was used */
	uint64_t *taken_ns;         /* by the chain's id; NULL: none was taken, or there is no
				     * memory, and their times are missing. Owned */
};

struct stats_spans {
	struct histogram notify;       /* ns from a kick until the device takes a request */
	struct histogram serve;        /* ns from then until it is used */
	struct histogram respond;      /* ns from a kick until the interrupt that it led to */
	struct histogram acknowledge;  /* ns from an interrupt until the driver acknowledges it */
	struct histogram instructions; /* from one used request to the next, of all CPUs */
};

/* What an event looks at is together, since the first touch of a page takes its time. */
struct stats_device {
	const char *name; /* of its type; NULL: nothing has happened to it */
	unsigned queue_count;
	uint64_t lost_kicks;        /* of queues that do not exist */
	uint64_t config_interrupts; /* configuration changes */
	uint64_t acknowledgements;
	uint64_t host_begun_ns; /* 0: the host does not work for it */
	struct stats_queue queues[VIRTIO_QUEUES_MAX];
	struct stats_spans spans[VIRTIO_QUEUES_MAX]; /* of each queue */
	struct histogram host;                       /* ns of the host's work for a request */
};

/* --- all of it -------------------------------------------------------------------------------- */

/* A counter of the host's. */
struct stats_counter {
	struct stats_counter *next;
	int cpu; /* -1: of the machine */
	char name[48];
	unsigned count;
	uint64_t values[];
};

struct stats {
	struct view view;
	const char *path; /* NULL: a table, on standard error */
	bool is_open;
	struct sink sink;
	struct stats_run run;
	struct stats_cpu cpus[CPUS_MAX];
	struct stats_exits exits;
	struct stats_marks marks;
	struct stats_device devices[DEVICE_COUNT];
	struct stats_counter *counters, **last_counter; /* owned */
};

/* Look at an event, which happens at ns by monotonic_ns(), and an exit at the linear address
 * rip. */
void stats_exit_begins(struct stats *stats, const struct event *event, uint64_t rip, uint64_t ns);
void stats_exit_ends(struct stats *stats, const struct event *event, uint64_t ns);
void stats_marked(struct stats *stats, const struct event *event, uint64_t ns);
void stats_step(struct stats *stats, const struct event *event, uint64_t ns);

/* An access to a register of a virtio device, in an exit of the CPU: gives its name to the
 * reason. */
void stats_name_register(struct stats *stats, const struct event *event);

/* Sets order, and packs sites to the beginning of their table, the most expensive ones first. No
 * further exit can be counted. Returns 0 or -ENOMEM. */
int stats_sort_exits(struct stats_exits *exits);

void stats_free_queues(struct stats *stats);

/* Write what there is to file, whose errors the caller looks for. */
void stats_write_table(const struct stats *stats, FILE *file);
void stats_write_json(const struct stats *stats, FILE *file);

#endif
