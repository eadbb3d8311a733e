/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/ioapic.h"

#include <string.h>

#include "snapshot/stream.h"

/* 82093AA 3.1: the two registers that the CPU sees. */
#define IOREGSEL 0x00
#define IOWIN    0x10

/* 82093AA 3.2: the registers behind IOWIN. */
#define IOAPICID     0x00
#define IOAPICVER    0x01
#define IOAPICARB    0x02
#define IOREDTBL     0x10 /* two per pin: low half, high half */
#define IOREDTBL_END (IOREDTBL + 2 * IOAPIC_PINS)

#define ID_SHIFT 24
#define ID_MASK  0x0f
#define VERSION  (0x11u | (IOAPIC_PINS - 1) << 16)

/* 82093AA 3.2.4, one redirection entry. */
#define VECTOR_MASK       0xffull
#define DELIVERY_SHIFT    8
#define DELIVERY_MASK     (7ull << DELIVERY_SHIFT)
#define LOGICAL           (1ull << 11)
#define LEVEL             (1u << 15)
#define MASKED            (1ull << 16)
#define DESTINATION_SHIFT 56
#define DESTINATION_MASK  (0xffull << DESTINATION_SHIFT)
/* What a guest can set. Delivery status and remote IRR belong to the chip and are 0 when every pin
 * is edge-triggered and no interrupt waits here. */
#define WRITABLE          (VECTOR_MASK | DELIVERY_MASK | LOGICAL | MASKED | DESTINATION_MASK)

/* Intel SDM 3, 11.11.1: the message address. */
#define MSI_ADDRESS           APIC_BASE
#define MSI_DESTINATION_SHIFT 12
#define MSI_LOGICAL           0x4u

/* Vectors below are no interrupt's: a local APIC refuses them (Intel SDM 3, 11.5.2). */
#define VECTOR_MIN 16

static enum ioapic_delivery entry_delivery(uint64_t entry)
{
	return (enum ioapic_delivery)((entry & DELIVERY_MASK) >> DELIVERY_SHIFT);
}

static enum ioapic_obstacle entry_obstacle(uint64_t entry)
{
	if (entry & MASKED)
		return IOAPIC_MASKED;
	switch (entry_delivery(entry)) {
	case IOAPIC_FIXED:
	case IOAPIC_LOWEST_PRIORITY:
		return (entry & VECTOR_MASK) >= VECTOR_MIN ? IOAPIC_OPEN : IOAPIC_VECTOR;
	case IOAPIC_NMI:
	case IOAPIC_INIT:
		return IOAPIC_OPEN;
	default: /* SMI and ExtINT need what this machine has not; the others are reserved */
		return IOAPIC_DELIVERY;
	}
}

/*
 * The message of a redirection entry. Data has the entry's own format in its low bits; the
 * redirection hint stays 0, since KVM takes it for lowest priority even where the entry says fixed.
 */
static struct ioapic_route entry_route(uint64_t entry)
{
	uint32_t destination = (uint32_t)(entry >> DESTINATION_SHIFT);

	if (entry_obstacle(entry) != IOAPIC_OPEN)
		return (struct ioapic_route){.enabled = false};
	return (struct ioapic_route){
		.enabled = true,
		.address = MSI_ADDRESS | destination << MSI_DESTINATION_SHIFT |
			   (entry & LOGICAL ? MSI_LOGICAL : 0),
		.data = (uint32_t)(entry & (VECTOR_MASK | DELIVERY_MASK)),
	};
}

static bool route_equal(const struct ioapic_route *a, const struct ioapic_route *b)
{
	return a->enabled == b->enabled && a->address == b->address && a->data == b->data;
}

int ioapic_init(struct ioapic *ioapic,
	void (*routes_changed)(void *ctx, const struct ioapic_route routes[IOAPIC_PINS]), void *ctx)
{
	*ioapic = (struct ioapic){.routes_changed = routes_changed, .ctx = ctx};
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->redirection[pin] = MASKED;
	return -pthread_mutex_init(&ioapic->lock, NULL);
}

void ioapic_free(struct ioapic *ioapic)
{
	pthread_mutex_destroy(&ioapic->lock);
}

/* What IOWIN shows; lock held. */
static uint32_t window_read(const struct ioapic *ioapic)
{
	unsigned index = ioapic->select;

	switch (index) {
	case IOAPICID:
	case IOAPICARB: /* takes over the ID when that is written (82093AA 3.2.3) */
		return (uint32_t)ioapic->id << ID_SHIFT;
	case IOAPICVER:
		return VERSION;
	case IOREDTBL ... IOREDTBL_END - 1:
		index -= IOREDTBL;
		return (uint32_t)(ioapic->redirection[index / 2] >> index % 2 * 32);
	default:
		return 0;
	}
}

static void redirection_write(struct ioapic *ioapic, unsigned index, uint32_t value)
{
	uint32_t bit = 1u << index / 2;
	uint64_t *entry = &ioapic->redirection[index / 2];
	struct ioapic_route *route = &ioapic->routes[index / 2];
	unsigned shift = index % 2 * 32;
	struct ioapic_route changed;

	*entry = ((*entry & ~(0xffffffffull << shift)) | (uint64_t)value << shift) & WRITABLE;
	changed = entry_route(*entry);
	if (index % 2 == 0)
		ioapic->level_asked = (ioapic->level_asked & ~bit) | (value & LEVEL ? bit : 0);
	/* A new table costs KVM a grace period; drivers write masked halves before the one that
	 * counts. */
	if (route_equal(route, &changed))
		return;
	*route = changed;
	if (changed.enabled)
		atomic_fetch_or(&ioapic->open, bit);
	else
		atomic_fetch_and(&ioapic->open, ~bit);
	ioapic->routes_changed(ioapic->ctx, ioapic->routes);
}

/* A write to IOWIN; lock held. */
static void window_write(struct ioapic *ioapic, uint32_t value)
{
	switch (ioapic->select) {
	case IOAPICID:
		ioapic->id = value >> ID_SHIFT & ID_MASK;
		break;
	case IOREDTBL ... IOREDTBL_END - 1:
		redirection_write(ioapic, ioapic->select - IOREDTBL, value);
		break;
	default: /* read-only, or no register */
		break;
	}
}

void ioapic_read(struct ioapic *ioapic, uint32_t offset, uint8_t *data, unsigned len)
{
	uint32_t value = 0;

	memset(data, 0, len);
	if (len != sizeof value)
		return;
	pthread_mutex_lock(&ioapic->lock);
	if (offset == IOREGSEL)
		value = ioapic->select;
	else if (offset == IOWIN)
		value = window_read(ioapic);
	pthread_mutex_unlock(&ioapic->lock);
	memcpy(data, &value, sizeof value);
}

void ioapic_write(struct ioapic *ioapic, uint32_t offset, const uint8_t *data, unsigned len)
{
	uint32_t value;

	if (len != sizeof value)
		return;
	memcpy(&value, data, sizeof value);
	pthread_mutex_lock(&ioapic->lock);
	if (offset == IOREGSEL)
		ioapic->select = (uint8_t)value;
	else if (offset == IOWIN)
		window_write(ioapic, value);
	pthread_mutex_unlock(&ioapic->lock);
}

void ioapic_edge(struct ioapic *ioapic, unsigned pin)
{
	if (atomic_load_explicit(&ioapic->open, memory_order_relaxed) >> pin & 1)
		return;
	pthread_mutex_lock(&ioapic->lock);
	if (!ioapic->routes[pin].enabled) {
		ioapic->lost[pin] += ioapic->lost[pin] < UINT32_MAX;
		ioapic->lost_by[pin] = entry_obstacle(ioapic->redirection[pin]);
	}
	pthread_mutex_unlock(&ioapic->lock);
}

void ioapic_inspect(struct ioapic *ioapic, unsigned number, struct ioapic_pin *pin)
{
	uint64_t entry;

	pthread_mutex_lock(&ioapic->lock);
	entry = ioapic->redirection[number];
	*pin = (struct ioapic_pin){
		.obstacle = entry_obstacle(entry),
		.level_asked = ioapic->level_asked >> number & 1,
		.lost = ioapic->lost[number],
		.lost_by = ioapic->lost_by[number],
		.delivery = entry_delivery(entry),
		.vector = entry & VECTOR_MASK,
		.destination = (uint8_t)(entry >> DESTINATION_SHIFT),
		.is_logical = entry & LOGICAL,
	};
	pthread_mutex_unlock(&ioapic->lock);
}

/* --- saving and restoring --------------------------------------------------------------------- */

static void transfer_pin(struct ioapic *ioapic, unsigned pin, struct snapshot_stream *stream)
{
	uint32_t lost_by = ioapic->lost_by[pin];

	SNAPSHOT_FIELD(stream, ioapic->redirection[pin]);
	SNAPSHOT_FIELD(stream, ioapic->lost[pin]);
	SNAPSHOT_FIELD(stream, lost_by);
	snapshot_check(stream, !(ioapic->redirection[pin] & ~WRITABLE),
		"redirection entry %u has reserved bits", pin);
	snapshot_check(stream, lost_by <= IOAPIC_DELIVERY, "pin %u lost edges by %u", pin, lost_by);
	ioapic->lost_by[pin] = (enum ioapic_obstacle)lost_by;
}

/* Routes follow from redirection entries. */
static void set_routes(struct ioapic *ioapic)
{
	unsigned open = 0;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		ioapic->routes[pin] = entry_route(ioapic->redirection[pin]);
		open |= (unsigned)ioapic->routes[pin].enabled << pin;
	}
	atomic_store(&ioapic->open, open);
	ioapic->routes_changed(ioapic->ctx, ioapic->routes);
}

void ioapic_transfer(struct ioapic *ioapic, struct snapshot_stream *stream)
{
	pthread_mutex_lock(&ioapic->lock);
	snapshot_begin(stream, "IOAP", 0);
	SNAPSHOT_FIELD(stream, ioapic->select);
	SNAPSHOT_FIELD(stream, ioapic->id);
	SNAPSHOT_FIELD(stream, ioapic->level_asked);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		transfer_pin(ioapic, pin, stream);
	snapshot_check(stream, ioapic->id <= ID_MASK, "ID %u", ioapic->id);
	snapshot_end(stream);
	if (stream->is_reading && !snapshot_failed(stream))
		set_routes(ioapic);
	pthread_mutex_unlock(&ioapic->lock);
}
