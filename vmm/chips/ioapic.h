/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_IOAPIC_H
#define VMM_IOAPIC_H

/*
 * The IOAPIC's register file (82093AA data sheet). Interrupts do not pass through it: each
 * redirection entry becomes an MSI route in KVM, through which the device's irqfd reaches a local
 * APIC directly. All pins are edge-triggered and active high; an entry's trigger mode and polarity
 * read as 0.
 *
 * An edge that comes while its pin is masked is lost, as the data sheet has it.
 */

#include <pthread.h>
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

struct ioapic {
	/* Called with the new routes of all pins when one of them changed, lock held. */
	void (*routes_changed)(void *ctx, const struct ioapic_route routes[IOAPIC_PINS]);
	void *ctx;

	pthread_mutex_t lock; /* guards what follows */
	uint8_t select;       /* IOREGSEL */
	uint8_t id;
	uint64_t redirection[IOAPIC_PINS];
	struct ioapic_route routes[IOAPIC_PINS];
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

#endif
