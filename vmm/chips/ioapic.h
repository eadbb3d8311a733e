/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_IOAPIC_H
#define VMM_IOAPIC_H

/*
 * The IOAPIC's register file (82093AA data sheet). Interrupts do not pass through it: each
 * redirection entry becomes an MSI route in KVM, through which the device's irqfd reaches a local
 * APIC directly. All pins are edge-triggered and active high; an entry's trigger mode and polarity
 * read as 0.
 *
 * An edge that comes while its pin is masked, or has an entry that sends no message, is lost, as
 * the data sheet has it. Lost edges are counted, for those who look for the reason why a guest
 * waits.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

/* The message that an unmasked pin sends, in the format of the x86 MSI message (Intel SDM 3,
 * 11.11). */
struct ioapic_route {
	bool enabled;
	uint32_t address;
	uint32_t data;
};

/* Delivery modes of a redirection entry (82093AA 3.2.4). The others are reserved. */
enum ioapic_delivery {
	IOAPIC_FIXED = 0,
	IOAPIC_LOWEST_PRIORITY = 1,
	IOAPIC_SMI = 2,
	IOAPIC_NMI = 4,
	IOAPIC_INIT = 5,
	IOAPIC_EXTINT = 7,
};

/* Why a redirection entry sends no message. */
enum ioapic_obstacle {
	IOAPIC_OPEN,     /* it does */
	IOAPIC_MASKED,   /* its bit 16 is set */
	IOAPIC_VECTOR,   /* its vector is below 16, and no interrupt's (Intel SDM 3, 11.5.2) */
	IOAPIC_DELIVERY, /* its delivery mode is reserved, or one that this machine has not */
};

struct ioapic {
	/* Called with the new routes of all pins when one of them changed, lock held. */
	void (*routes_changed)(void *ctx, const struct ioapic_route routes[IOAPIC_PINS]);
	void *ctx;

	pthread_mutex_t lock; /* guards what follows */
	uint8_t select;       /* IOREGSEL */
	uint8_t id;
	uint64_t redirection[IOAPIC_PINS];
	struct ioapic_route routes[IOAPIC_PINS];
	uint32_t level_asked; /* a bit per pin: its entry was last written with level trigger */
	uint32_t lost[IOAPIC_PINS];                /* number of edges, up to UINT32_MAX */
	enum ioapic_obstacle lost_by[IOAPIC_PINS]; /* the last one: by what */

	atomic_uint open; /* a bit per pin: its route is enabled. Written with the lock held */
};

/* A pin, for reports. */
struct ioapic_pin {
	enum ioapic_obstacle obstacle; /* now */
	bool level_asked; /* its entry was last written with level trigger, which no pin has */
	uint32_t lost;    /* number of edges lost so far, up to UINT32_MAX */
	enum ioapic_obstacle lost_by; /* the last one of them */

	/* Of its redirection entry. */
	enum ioapic_delivery delivery;
	uint8_t vector, destination;
	bool is_logical; /* the destination */
};

/* Makes an IOAPIC with all pins masked. Returns 0, or -errno from the lock's creation. */
int ioapic_init(struct ioapic *ioapic,
	void (*routes_changed)(void *ctx, const struct ioapic_route routes[IOAPIC_PINS]),
	void *ctx);
void ioapic_free(struct ioapic *ioapic);

/*
 * Handle a guest's access at IOAPIC_BASE + offset, offset below PAGE_SIZE; IOREGSEL is at 0x00,
 * IOWIN at 0x10, 32 bits wide. Anything else reads as 0 and is dropped. Any vCPU thread.
 */
void ioapic_read(struct ioapic *ioapic, uint32_t offset, uint8_t *data, unsigned len);
void ioapic_write(struct ioapic *ioapic, uint32_t offset, const uint8_t *data, unsigned len);

/* Notes that a device raises an edge on a pin, which is lost if the pin sends no message. Any
 * thread. Takes the lock only for an edge that is lost. */
void ioapic_edge(struct ioapic *ioapic, unsigned pin);

/* Sets *pin to the state of a pin (number below IOAPIC_PINS). Any thread. */
void ioapic_inspect(struct ioapic *ioapic, unsigned number, struct ioapic_pin *pin);

struct snapshot_stream;

/* Transfers the state to or from a stream (snapshot/stream.h). After reading, the routes are those
 * of the restored redirection entries, and routes_changed() is called. */
void ioapic_transfer(struct ioapic *ioapic, struct snapshot_stream *stream);

#endif
