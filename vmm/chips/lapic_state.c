/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a local APIC in a stream. */
#include "chips/lapic_parts.h"
#include "snapshot/stream.h"

#define PRIORITY_BITS 0xffu /* of TPR (Intel SDM 3, 11.8.3.1) */

static void transfer_timer(struct lapic *lapic, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, lapic->timer_divide);
	SNAPSHOT_FIELD(stream, lapic->timer_initial);
	SNAPSHOT_FIELD(stream, lapic->timer_expiry);
	SNAPSHOT_FIELD(stream, lapic->timer_deadline);
	/* A running timer has a period, by which times are divided. */
	snapshot_check(stream, lapic->timer_expiry == UINT64_MAX || lapic->timer_initial != 0,
		"a timer without an initial count runs");
}

void lapic_transfer(struct lapic *lapic, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "LAPC", lapic->cpu);
	snapshot_bool(stream, &lapic->enabled);
	SNAPSHOT_FIELD(stream, lapic->id);
	SNAPSHOT_FIELD(stream, lapic->tpr);
	SNAPSHOT_FIELD(stream, lapic->ldr);
	SNAPSHOT_FIELD(stream, lapic->dfr);
	SNAPSHOT_FIELD(stream, lapic->svr);
	SNAPSHOT_FIELD(stream, lapic->esr);
	SNAPSHOT_FIELD(stream, lapic->errors);
	SNAPSHOT_FIELD(stream, lapic->icr_low);
	SNAPSHOT_FIELD(stream, lapic->icr_high);
	SNAPSHOT_FIELD(stream, lapic->lvt);
	snapshot_bool(stream, &lapic->lint[0]);
	snapshot_bool(stream, &lapic->lint[1]);
	SNAPSHOT_FIELD(stream, lapic->isr);
	SNAPSHOT_FIELD(stream, lapic->tmr);
	SNAPSHOT_FIELD(stream, lapic->irr);
	transfer_timer(lapic, stream);
	snapshot_check(stream, lapic->tpr <= PRIORITY_BITS, "TPR is 0x%x", lapic->tpr);
	snapshot_end(stream);
}

void lapic_bus_transfer(struct lapic_bus *bus, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "LBUS", 0);
	SNAPSHOT_FIELD(stream, bus->lowest);
	snapshot_check(stream, bus->lowest < bus->count, "CPU %u of %u", bus->lowest, bus->count);
	snapshot_end(stream);
}
