/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VIEWS_H
#define VMM_VIEWS_H

/*
 * The views of a machine: who reads the stream of events. Each view is a file or two that turns
 * events into something for a reader; it changes nothing of the machine and knows no other view.
 */

#include <pthread.h>
#include <stdbool.h>

#include "cpu/place.h"
#include "io/sink.h"
#include "see/event.h"

struct views;

/* A reader of events. It is embedded in the view's own structure. */
struct view {
	/* Looks at one event, which is valid during the call. Any thread, one at a time. It does
	 * not wait for anybody: what it writes goes to a sink (io/sink.h). */
	void (*event)(struct view *view, const struct event *event);

	/* Waits until what the view has written is there for its reader, so that a message of
	 * vole's comes after it; not longer than sink_flush(). NULL: nobody reads it meanwhile. */
	void (*flush)(struct view *view);

	/* Ends the view, says what was lost, and frees it. Returns false if it cannot be freed
	 * (sink_end.is_stuck). After the last event. */
	bool (*close)(struct view *view);

	struct views *views; /* what it can ask of the machine; set by views_add() */
	struct view *next;
};

struct views {
	pthread_mutex_t
		lock;       /* held while views look at an event; a device's lock is held before */
	struct view *first; /* NULL: nobody watches */
	struct view **last;
	bool closed; /* guarded by lock: the views are freed */

	/* Of the machine, for views. In a call of view.event(), with its event. */
	const struct views_machine *machine;
	void *ctx;

	struct sink_wait wait; /* for the readers of views' files, while they are opened */
};

struct views_machine {
	/* Returns the time of an event that is now (event.ns). */
	uint64_t (*now)(void *ctx);

	/* Sets *place to that of the instruction that made the access which the event or report is
	 * about (virtio_event.accessor). Returns false if there was none. */
	bool (*place)(void *ctx, const struct event *event, struct place *place);

	/* Returns the symbol of guest-physical memory, where the kernel's virtual addresses are the
	 * same, and sets *offset; NULL: none. */
	const char *(*symbol)(void *ctx, uint64_t address, uint32_t *offset);

	/* Returns how many instructions a CPU has executed so far; all together, if it is
	 * EVENT_NO_CPU. 0: the engine does not know. */
	uint64_t (*instructions)(void *ctx, int cpu);

	/* Has views be shown the accesses of CPUs to the pages that guest memory is in, from here
	 * on (EVENT_ACCESS). Where the engine sees them. */
	void (*watch)(void *ctx, uint64_t gpa, uint64_t len);

	/* Ends the machine with this exit status of vole. If it is ending already, the status
	 * replaces 0 only. */
	void (*fail)(void *ctx, int status);
};

/* Makes an empty list of views. */
void views_init(struct views *views, const struct views_machine *machine, void *ctx);

/* Adds a view, which the list owns from here on. Before the first event. */
void views_add(struct views *views, struct view *view);

/* Returns whether somebody watches, or did until views_close(). Any thread. */
bool views_exist(const struct views *views);

/* Has all views look at an event, whose time is set here: it never goes back. Any thread. */
void views_tell(struct views *views, struct event *event);

/* Waits until readers have what was written so far. Any thread; also while a view looks at an
 * event. */
void views_flush(struct views *views);

/* Closes all views, unless that was done already; a thread that still tells of events afterwards
 * is not heard. Returns false if one cannot be freed. */
bool views_close(struct views *views);

#endif
