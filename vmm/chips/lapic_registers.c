/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's registers. Sections are those of Intel SDM 3. */
#include <string.h>

#include "chips/lapic_parts.h"
#include "layout.h"

/* The registers by offset / 16 (table 11-1). */
enum {
	ID = 0x02,
	VERSION = 0x03,
	TPR = 0x08,
	APR = 0x09,
	PPR = 0x0a,
	EOI = 0x0b,
	RRD = 0x0c,
	LDR = 0x0d,
	DFR = 0x0e,
	SVR = 0x0f,
	ISR = 0x10, /* eight of them, 32 vectors each, as TMR and IRR */
	TMR = 0x18,
	IRR = 0x20,
	ESR = 0x28,
	ICR_LOW = 0x30,
	ICR_HIGH = 0x31,
	LVT = 0x32, /* LVT_COUNT of them */
	INITIAL_COUNT = 0x38,
	CURRENT_COUNT = 0x39,
	DIVIDE = 0x3e,
};

#define VERSION_VALUE (0x14u | (LVT_COUNT - 1) << 16) /* 11.4.8 */

/* Bits that a guest can set. */
#define TPR_BITS 0xffu
#define ID_BITS  0xff000000u /* of ID, LDR and ICR's high half */
#define DFR_ONES 0x0fffffffu /* all but the model read as 1 (11.6.2.2) */
#define SVR_BITS 0x3ffu      /* vector, enable, focus processor checking */
#define ICR_BITS 0xccfffu    /* all but the delivery status, which is "idle" */

/* IA32_APIC_BASE (11.4.4). */
#define BASE_BSP     (1u << 8)
#define BASE_ENABLED (1u << 11)

uint64_t lapic_base_read(const struct lapic *lapic)
{
	return APIC_BASE | (lapic->enabled ? BASE_ENABLED : 0) | (lapic->cpu == 0 ? BASE_BSP : 0);
}

bool lapic_base_write(struct lapic *lapic, uint64_t value)
{
	if ((value & ~(uint64_t)(BASE_ENABLED | BASE_BSP)) != APIC_BASE)
		return false;
	lapic->enabled = value & BASE_ENABLED;
	if (!lapic->enabled) {
		lapic->id = (uint8_t)lapic->cpu;
		lapic_reset_registers(lapic);
	}
	lapic_wake_if_pending(lapic);
	return true;
}

/* --- the page of registers -------------------------------------------------------------------- */

static uint32_t read_register(struct lapic *lapic, unsigned number, uint64_t now)
{
	switch (number) {
	case ID:
		return (uint32_t)lapic->id << 24;
	case VERSION:
		return VERSION_VALUE;
	case TPR:
		return lapic->tpr;
	case PPR:
		return lapic_ppr(lapic);
	case APR:
	case EOI:
	case RRD:
		return 0;
	case LDR:
		return lapic->ldr;
	case DFR:
		return lapic->dfr;
	case SVR:
		return lapic->svr;
	case ISR ... ISR + 7:
		return lapic->isr[number - ISR];
	case TMR ... TMR + 7:
		return lapic->tmr[number - TMR];
	case IRR ... IRR + 7:
		return lapic->irr[number - IRR];
	case ESR:
		return lapic->esr;
	case ICR_LOW:
		return lapic->icr_low;
	case ICR_HIGH:
		return lapic->icr_high;
	case LVT ... LVT + LVT_COUNT - 1:
		return lapic->lvt[number - LVT];
	case INITIAL_COUNT:
		return lapic->timer_initial;
	case CURRENT_COUNT:
		return lapic_timer_current(lapic, now);
	case DIVIDE:
		return lapic->timer_divide;
	default:
		lapic_note_error(lapic, ESR_REGISTER);
		return 0;
	}
}

/* Bits of an LVT entry that a guest can set: vector and mask, and what the entry has besides
 * (figure 11-8). Delivery status and remote IRR are the local APIC's own, and 0. */
static const uint32_t lvt_bits[LVT_COUNT] = {
	[LVT_TIMER] = 0x700ff,
	[LVT_THERMAL] = 0x107ff,
	[LVT_PERF] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff,
	[LVT_LINT1] = 0x1a7ff,
	[LVT_ERROR] = 0x100ff,
};

static void write_lvt(struct lapic *lapic, enum lapic_lvt entry, uint32_t value)
{
	value &= lvt_bits[entry];
	if (!(lapic->svr & SVR_ENABLED))
		value |= LVT_MASKED; /* 11.4.7.2 */
	if (entry == LVT_TIMER)
		lapic_timer_set_lvt(lapic, value);
	else
		lapic->lvt[entry] = value;
}

static void write_svr(struct lapic *lapic, uint32_t value)
{
	lapic->svr = value & SVR_BITS;
	if (lapic->svr & SVR_ENABLED)
		return;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		lapic->lvt[i] |= LVT_MASKED; /* 11.4.7.2 */
}

/* A read shows the errors up to the last write (11.5.3). */
static void write_esr(struct lapic *lapic)
{
	lapic->esr = lapic->errors;
	lapic->errors = 0;
}

static void write_register(struct lapic *lapic, unsigned number, uint32_t value, uint64_t now)
{
	switch (number) {
	case ID:
		lapic->id = (uint8_t)(value >> 24);
		break;
	case TPR:
		lapic->tpr = value & TPR_BITS;
		break;
	case EOI:
		lapic_end_of_interrupt(lapic);
		break;
	case LDR:
		lapic->ldr = value & ID_BITS;
		break;
	case DFR:
		lapic->dfr = value | DFR_ONES;
		break;
	case SVR:
		write_svr(lapic, value);
		break;
	case ESR:
		write_esr(lapic);
		break;
	case ICR_LOW:
		lapic->icr_low = value & ICR_BITS;
		lapic_send_ipi(lapic);
		break;
	case ICR_HIGH:
		lapic->icr_high = value & ID_BITS;
		break;
	case LVT ... LVT + LVT_COUNT - 1:
		write_lvt(lapic, (enum lapic_lvt)(number - LVT), value);
		break;
	case INITIAL_COUNT:
		lapic_timer_set_initial(lapic, value, now);
		break;
	case DIVIDE:
		lapic_timer_set_divide(lapic, value, now);
		break;
	case VERSION:
	case APR:
	case PPR:
	case RRD:
	case ISR ... IRR + 7:
	case CURRENT_COUNT:
		break; /* read-only */
	default:
		lapic_note_error(lapic, ESR_REGISTER);
		break;
	}
}

uint32_t lapic_read(struct lapic *lapic, uint32_t offset, uint64_t now)
{
	if (!lapic->enabled)
		return UINT32_MAX;
	lapic_timer_advance(lapic, now);
	return read_register(lapic, offset % 16 ? 0 : offset / 16, now);
}

void lapic_write(struct lapic *lapic, uint32_t offset, uint32_t value, uint64_t now)
{
	if (!lapic->enabled)
		return;
	lapic_timer_advance(lapic, now);
	write_register(lapic, offset % 16 ? 0 : offset / 16, value, now);
	/* TPR, EOI and LVT_LINT0 may let something through that waits. */
	lapic_wake_if_pending(lapic);
}

void lapic_mmio_read(
	struct lapic *lapic, uint32_t offset, uint8_t *data, unsigned len, uint64_t now)
{
	unsigned in_register = offset % 16;
	uint32_t value;

	memset(data, lapic->enabled ? 0 : 0xff, len);
	if (len == 0 || in_register + len > sizeof value)
		return;
	value = lapic_read(lapic, offset - in_register, now) >> 8 * in_register;
	for (unsigned i = 0; i < len; i++)
		data[i] = (uint8_t)(value >> 8 * i);
}

void lapic_mmio_write(
	struct lapic *lapic, uint32_t offset, const uint8_t *data, unsigned len, uint64_t now)
{
	uint32_t value = 0;

	if (len != sizeof value || offset % 16)
		return;
	for (unsigned i = 0; i < len; i++)
		value |= (uint32_t)data[i] << 8 * i;
	lapic_write(lapic, offset, value, now);
}
