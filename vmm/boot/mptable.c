/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/mptable.h"

#include <string.h>

#include "layout.h"

#define MP_VERSION 4 /* of 1.4 */

/* MP 4.1 */
struct mp_pointer {
	char signature[4];
	uint32_t address;
	uint8_t paragraphs, version, checksum, features[5];
};

/* MP 4.2 */
struct mp_header {
	char signature[4];
	uint16_t len;
	uint8_t version, checksum;
	char maker[8], product[12];
	uint32_t oem_address;
	uint16_t oem_len, entry_count;
	uint32_t apic_base;
	uint16_t extended_len;
	uint8_t extended_checksum, reserved;
};

/* MP 4.3: the entries, in the order in which they have to be */
enum { MP_CPU, MP_BUS, MP_IOAPIC, MP_INTERRUPT, MP_LOCAL_INTERRUPT };

struct mp_cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
};

#define MP_CPU_ENABLED 1
#define MP_CPU_BOOT    2

struct mp_bus {
	uint8_t type, id;
	char name[6];
};

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t address;
};

#define MP_IOAPIC_ENABLED 1

struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags; /* 0: polarity and trigger mode are the bus's own */
	uint8_t bus, irq, apic_id, pin;
};

enum { MP_KIND_VECTOR = 0, MP_KIND_NMI = 1, MP_KIND_EXTINT = 3 };

#define MP_ALL_APICS 0xff

_Static_assert(sizeof(struct mp_pointer) == MPTABLE_POINTER_LEN, "MP 4.1");
_Static_assert(sizeof(struct mp_header) == 44, "MP 4.2");
_Static_assert(sizeof(struct mp_cpu) == 20, "MP 4.3.1");
_Static_assert(sizeof(struct mp_interrupt) == 8, "MP 4.3.4");

#define APIC_VERSION   0x14
#define IOAPIC_VERSION 0x11
#define ISA_BUS        0
#define ISA_IRQS       16
#define ISA_CASCADE    2 /* the second PIC, no interrupt of its own */

#define INTERRUPT_COUNT (ISA_IRQS - 1 + 2)

/* Bytes of the table for CPUs 0 to cpu_count - 1. */
static size_t mptable_len(unsigned cpu_count)
{
	return sizeof(struct mp_header) + cpu_count * sizeof(struct mp_cpu) +
	       sizeof(struct mp_bus) + sizeof(struct mp_ioapic) +
	       INTERRUPT_COUNT * sizeof(struct mp_interrupt);
}

/* What makes the sum of all bytes 0. */
static uint8_t checksum(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *bytes++;
	return (uint8_t)-sum;
}

static uint8_t *put(uint8_t *at, const void *entry, size_t len)
{
	memcpy(at, entry, len);
	return at + len;
}

static uint8_t *put_cpus(uint8_t *at, unsigned cpu_count)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		struct mp_cpu cpu = {
			.type = MP_CPU,
			.apic_id = (uint8_t)i,
			.apic_version = APIC_VERSION,
			.flags = MP_CPU_ENABLED | (i == 0 ? MP_CPU_BOOT : 0),
		};

		at = put(at, &cpu, sizeof cpu);
	}
	return at;
}

static uint8_t *put_interrupts(uint8_t *at, uint8_t ioapic_id)
{
	struct mp_interrupt entry = {MP_INTERRUPT, MP_KIND_VECTOR, 0, ISA_BUS, 0, ioapic_id, 0};

	for (uint8_t irq = 0; irq < ISA_IRQS; irq++) {
		if (irq == ISA_CASCADE)
			continue;
		entry.irq = entry.pin = irq;
		at = put(at, &entry, sizeof entry);
	}
	/* LINT0 has the PIC, LINT1 NMIs. */
	entry = (struct mp_interrupt){
		MP_LOCAL_INTERRUPT, MP_KIND_EXTINT, 0, ISA_BUS, 0, MP_ALL_APICS, 0};
	at = put(at, &entry, sizeof entry);
	entry.kind = MP_KIND_NMI;
	entry.pin = 1;
	return put(at, &entry, sizeof entry);
}

void mptable_write(uint8_t *dst, uint32_t address, uint8_t *pointer, unsigned cpu_count)
{
	struct mp_pointer floating = {
		.signature = "_MP_", .address = address, .paragraphs = 1, .version = MP_VERSION};
	struct mp_header header = {
		.signature = "PCMP",
		.len = (uint16_t)mptable_len(cpu_count),
		.version = MP_VERSION,
		.maker = "VOLE    ",
		.product = "LINUX BOARD ",
		.entry_count = (uint16_t)(cpu_count + 1 + 1 + INTERRUPT_COUNT),
		.apic_base = APIC_BASE,
	};
	struct mp_bus bus = {MP_BUS, ISA_BUS, "ISA   "};
	/* No CPU has this number. */
	struct mp_ioapic ioapic = {
		MP_IOAPIC, (uint8_t)cpu_count, IOAPIC_VERSION, MP_IOAPIC_ENABLED, IOAPIC_BASE};
	uint8_t *at = put(dst, &header, sizeof header);

	at = put_cpus(at, cpu_count);
	at = put(at, &bus, sizeof bus);
	at = put(at, &ioapic, sizeof ioapic);
	put_interrupts(at, ioapic.id);
	header.checksum = checksum(dst, header.len);
	memcpy(dst, &header, sizeof header);
	floating.checksum = checksum(&floating, sizeof floating);
	memcpy(pointer, &floating, sizeof floating);
}
