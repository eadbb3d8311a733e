/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PC_CHIPS_H
#define VMM_PC_CHIPS_H

/*
 * The interrupt controllers and the timer of a PC, for the software engine: two PICs, whose output
 * goes to LINT0 of every local APIC, the IOAPIC and the PIT, whose counter 0 is IRQ 0. GSI n is pin
 * n of the IOAPIC, and below 16 input n of the PICs, as with KVM.
 *
 * Time is guest time, in nanoseconds. I/O thread only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "chips/ioapic.h"
#include "chips/lapic.h"
#include "chips/pic.h"
#include "chips/pit.h"

struct pc_chips {
	bool present;
	struct lapic_bus *bus; /* not owned */
	struct pic pic;
	struct pit pit;
	struct ioapic ioapic;
	struct ioapic_route routes[IOAPIC_PINS];
};

/* Makes the chips, as after a reset. Undone by pc_chips_free(), which is harmless for a structure
 * of zeros. 0, or -errno from the creation of the IOAPIC's lock. */
int pc_chips_init(struct pc_chips *pc, struct lapic_bus *bus);
void pc_chips_free(struct pc_chips *pc);

/* A guest's access to a port. Returns false if no chip is there. */
bool pc_chips_port(struct pc_chips *pc, uint16_t port, bool is_write, uint32_t *value, unsigned len,
	uint64_t now);

/* A guest's access at IOAPIC_BASE + offset. */
void pc_chips_ioapic(
	struct pc_chips *pc, uint32_t offset, bool is_write, uint8_t *data, unsigned len);

/* An edge of a GSI. */
void pc_chips_pulse(struct pc_chips *pc, unsigned gsi);

/* The PICs interrupt; and the vector of that interrupt, which is acknowledged. */
bool pc_chips_output(const struct pc_chips *pc);
uint8_t pc_chips_acknowledge(struct pc_chips *pc);

/* When the timer next has an event; UINT64_MAX: never. And let it have those until now. */
uint64_t pc_chips_next(const struct pc_chips *pc);
void pc_chips_advance(struct pc_chips *pc, uint64_t now);

struct snapshot_stream;

/* Transfers the state of all chips to or from a stream (snapshot/stream.h). */
void pc_chips_transfer(struct pc_chips *pc, struct snapshot_stream *stream);

#endif
