/* SPDX-License-Identifier: BSD-2-Clause */
/* IPIs and MSIs between local APICs. Sections are those of Intel SDM 3. */
#include "chips/lapic_parts.h"
#include "layout.h"

#define BROADCAST 0xff /* a destination, physical or logical (11.6.2) */

/* ICR (11.6.1); the other fields are as in lapic_parts.h. */
#define ICR_LOGICAL           (1u << 11)
#define ICR_SHORTHAND_SHIFT   18
#define ICR_DESTINATION_SHIFT 24
enum shorthand { NO_SHORTHAND, SELF, ALL, ALL_BUT_SELF };

/* DFR's model of logical destinations, in its bits 28 to 31 (11.6.2.2). */
#define DFR_MODEL_SHIFT 28
#define DFR_FLAT        0xf
#define DFR_CLUSTER     0x0

/* The message address (11.11.1). */
#define MSI_ADDRESS_SHIFT     20
#define MSI_DESTINATION_SHIFT 12
#define MSI_REDIRECTION_HINT  (1u << 3)
#define MSI_LOGICAL           (1u << 2)

struct message {
	enum shorthand shorthand;
	const struct lapic *sender; /* with a shorthand */
	uint8_t destination;        /* without one */
	bool is_logical;
	enum delivery delivery;
	uint8_t vector;
	bool is_level;
};

void lapic_bus_init(struct lapic_bus *bus, const struct lapic_ops *ops, void *ctx)
{
	*bus = (struct lapic_bus){.ops = ops, .ctx = ctx};
}

/* 11.6.2.2. The other models are reserved, and address nobody but by a broadcast. */
static bool matches_logical(const struct lapic *lapic, uint8_t destination)
{
	uint8_t ldr = (uint8_t)(lapic->ldr >> 24);

	switch (lapic->dfr >> DFR_MODEL_SHIFT) {
	case DFR_FLAT:
		return ldr & destination;
	case DFR_CLUSTER:
		return ldr >> 4 == destination >> 4 && ldr & destination & 0xf;
	default:
		return false;
	}
}

static bool is_receiver(const struct lapic *lapic, const struct message *message)
{
	if (!lapic->enabled)
		return false;
	switch (message->shorthand) {
	case SELF:
		return lapic == message->sender;
	case ALL:
		return true;
	case ALL_BUT_SELF:
		return lapic != message->sender;
	default:
		break;
	}
	if (message->destination == BROADCAST)
		return true;
	if (message->is_logical)
		return matches_logical(lapic, message->destination);
	return lapic->id == message->destination;
}

static void receive(struct lapic *lapic, const struct message *message)
{
	const struct lapic_bus *bus = lapic->bus;

	switch (message->delivery) {
	case DELIVERY_FIXED:
	case DELIVERY_LOWEST:
		lapic_accept(lapic, message->vector, message->is_level);
		break;
	case DELIVERY_SMI:
		bus->ops->smi(bus->ctx, lapic->cpu);
		break;
	case DELIVERY_NMI:
		bus->ops->nmi(bus->ctx, lapic->cpu);
		break;
	case DELIVERY_INIT:
		lapic_receive_init(lapic);
		break;
	case DELIVERY_SIPI:
		bus->ops->sipi(bus->ctx, lapic->cpu, message->vector);
		break;
	default: /* ExtINT, which has no message here, and what is reserved */
		break;
	}
}

/*
 * The receiver of a lowest-priority interrupt: the one whose PPR is lowest (11.6.2.4), and of equal
 * ones the next in turn, so that all get some. NULL if nobody can accept it.
 */
static struct lapic *lowest_receiver(struct lapic_bus *bus, const struct message *message)
{
	struct lapic *found = NULL;

	for (unsigned i = 1; i <= bus->count; i++) {
		struct lapic *lapic = bus->lapics[(bus->lowest + i) % bus->count];

		if (!is_receiver(lapic, message) || !lapic_accepts_fixed(lapic))
			continue;
		if (!found || lapic_ppr(lapic) < lapic_ppr(found))
			found = lapic;
	}
	return found;
}

static void send(struct lapic_bus *bus, const struct message *message)
{
	if (message->delivery == DELIVERY_LOWEST) {
		struct lapic *lapic = lowest_receiver(bus, message);

		if (!lapic)
			return;
		bus->lowest = lapic->cpu;
		receive(lapic, message);
		return;
	}
	for (unsigned i = 0; i < bus->count; i++)
		if (is_receiver(bus->lapics[i], message))
			receive(bus->lapics[i], message);
}

/* Table 11-3: only a fixed interrupt can be sent to the sender by a shorthand. */
static bool is_valid_combination(enum shorthand shorthand, enum delivery delivery)
{
	return delivery == DELIVERY_FIXED || (shorthand != SELF && shorthand != ALL);
}

void lapic_send_ipi(struct lapic *lapic)
{
	uint32_t low = lapic->icr_low;
	struct message message = {
		.shorthand = (enum shorthand)(low >> ICR_SHORTHAND_SHIFT & 3),
		.sender = lapic,
		.destination = (uint8_t)(lapic->icr_high >> ICR_DESTINATION_SHIFT),
		.is_logical = low & ICR_LOGICAL,
		.delivery = delivery_of(low),
		.vector = low & VECTOR_BITS,
		.is_level = false, /* whatever the trigger mode says (table 11-3) */
	};

	if (!is_valid_combination(message.shorthand, message.delivery))
		return;
	/* INIT level de-assert reaches nobody (11.6.1). */
	if (message.delivery == DELIVERY_INIT && low & LEVEL_TRIGGER && !(low & LEVEL_ASSERTED))
		return;
	if (message.delivery <= DELIVERY_LOWEST && message.vector < VECTOR_MIN) {
		lapic_note_error(lapic, ESR_SEND_VECTOR);
		return;
	}
	send(lapic->bus, &message);
}

/* The redirection hint has one of the addressed CPUs take a fixed interrupt (11.11.1). Destinations
 * are logical if the address says so, with or without the hint, as the IOAPIC's messages need. */
void lapic_bus_msi(struct lapic_bus *bus, uint32_t address, uint32_t data)
{
	struct message message = {
		.destination = (uint8_t)(address >> MSI_DESTINATION_SHIFT),
		.is_logical = address & MSI_LOGICAL,
		.delivery = delivery_of(data),
		.vector = data & VECTOR_BITS,
		.is_level = data & LEVEL_TRIGGER,
	};

	if (address >> MSI_ADDRESS_SHIFT != APIC_BASE >> MSI_ADDRESS_SHIFT)
		return;
	if (message.is_level && !(data & LEVEL_ASSERTED))
		return;
	if (message.delivery == DELIVERY_SIPI) /* reserved in a message (11.11.2) */
		return;
	if (message.delivery == DELIVERY_FIXED && address & MSI_REDIRECTION_HINT)
		message.delivery = DELIVERY_LOWEST;
	send(bus, &message);
}
