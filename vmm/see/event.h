/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EVENT_H
#define VMM_EVENT_H

/*
 * The one stream of events that all views of a machine read (views.h): what drivers and devices do
 * (virtio_event.h), what devices report, and what CPUs leave guest code for.
 *
 *	virtio/  -->  machine/watch.c: time, CPU, pin  -->  views_tell()  -->  each view's event()
 */

#include <stdbool.h>
#include <stdint.h>

#include "chips/ioapic.h"
#include "cpu/exit_log.h"
#include "report.h"
#include "virtio.h"

struct state;

enum event_kind {
	EVENT_VIRTIO, /* virtio is set */
	EVENT_REPORT, /* report is set: a device reports a mistake or a fault */

	/* Of CPUs; device is NULL. */
	EVENT_EXIT,     /* exit is set: the CPU leaves guest code for this reason ... */
	EVENT_EXIT_END, /* ... and will go on with it */
	EVENT_MARK,     /* the kernel has marked this moment: mark */
	EVENT_LOOK,     /* state is set: the hang watch has looked at the machine */
	EVENT_ACCESS,   /* access is set: a CPU has accessed memory that a view watches */
};

#define EVENT_NO_CPU (-1)

/* views_machine.watch() asks for them. */
struct event_access {
	uint64_t gpa;
	unsigned len; /* bytes, within a page */
	bool is_write;
	bool is_ordered; /* since the CPU's access before this one to memory that is watched, it has
			  * executed what orders a store before a later load */
	const void *accessor; /* as virtio_event.accessor */
};

struct event {
	enum event_kind kind;

	/* Nanoseconds since the machine began, by the host's clock; with --clock virtual guest
	 * time. It never goes back. */
	uint64_t ns;

	int cpu; /* that made the access or exit; EVENT_NO_CPU: the device did it by itself */

	/* The device, its number and its lock held; or NULL. */
	const struct virtio_device *device;
	unsigned number;

	const struct virtio_event *virtio;
	const struct virtio_report *report;
	const struct cpu_exit *exit;
	struct cpu *leaving; /* with exit: the CPU, on whose thread the event is told */
	uint32_t mark;
	const struct event_access *access;
	const struct state *state;

	/* For VIRTIO_EVENT_INTERRUPT: the pin that is raised, and where it leads to; NULL: the
	 * interrupt controllers are the engine's own, which does not tell. */
	unsigned pin;
	const struct ioapic_pin *route;
};

#endif
