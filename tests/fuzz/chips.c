/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controllers and timers of the software CPU, wired as on a PC: the PIT to the PICs,
 * those to LINT0 of every local APIC, and the local APICs to each other.
 *
 * Time jumps by up to centuries, and periods may be of a nanosecond: what takes long for that is a
 * finding by its time-out.
 */
#include <assert.h>
#include <string.h>

#include "chips/cmos.h"
#include "chips/lapic.h"
#include "chips/pic.h"
#include "chips/pit.h"
#include "input.h"

#define CPUS 3

struct fuzz_chips {
	uint64_t now;
	struct lapic_bus bus;
	struct lapic lapics[CPUS];
	struct pic pic;
	struct pit pit;
	struct cmos cmos;
	bool irq_0;
	unsigned edges; /* of IRQ 0, since this was last set to 0 */
};

/* --- what chips tell -------------------------------------------------------------------------- */

static void check_cpu(void *ctx, unsigned cpu)
{
	(void)ctx;
	assert(cpu < CPUS);
}

static void check_wake(void *ctx, unsigned cpu)
{
	struct fuzz_chips *f = ctx;

	assert(cpu < CPUS);
	assert(lapic_pending(&f->lapics[cpu]) ||
		(f->lapics[cpu].lint[0] && lapic_accepts_extint(&f->lapics[cpu])));
}

/* A reset CPU has a reset local APIC (Intel SDM 3, 11.4.7.3). */
static void check_init(void *ctx, unsigned cpu)
{
	struct fuzz_chips *f = ctx;

	assert(cpu < CPUS);
	assert(!lapic_pending(&f->lapics[cpu]) && f->lapics[cpu].svr == 0xff);
	assert(lapic_timer_next(&f->lapics[cpu]) == UINT64_MAX);
}

static void check_sipi(void *ctx, unsigned cpu, uint8_t vector)
{
	(void)vector;
	check_cpu(ctx, cpu);
}

static const struct lapic_ops ops = {check_wake, check_cpu, check_cpu, check_init, check_sipi};

static void set_irq_0(void *ctx, bool level)
{
	struct fuzz_chips *f = ctx;

	assert(level != f->irq_0); /* an edge each time */
	f->irq_0 = level;
	f->edges++;
	pic_raise(&f->pic, 0, level);
}

static uint64_t fuzz_time(void *ctx)
{
	return ((struct fuzz_chips *)ctx)->now;
}

/* --- what must hold --------------------------------------------------------------------------- */

static void check_lapic(const struct lapic *lapic)
{
	/* Intel SDM 3, 11.5.2. */
	assert(!(lapic->irr[0] & 0xffff) && !(lapic->isr[0] & 0xffff));
	assert(!(lapic->tmr[0] & 0xffff));
	assert(lapic->tpr <= 0xff && lapic->svr <= 0x3ff);
	/* Disabled by software, all LVT entries are masked (11.4.7.2). */
	for (unsigned i = 0; i < LVT_COUNT; i++)
		assert(lapic->svr & 0x100 || lapic->lvt[i] & 0x10000);
	/* 11.5.4.1: of deadline and count, one at most is armed. */
	assert(!lapic->timer_deadline || lapic->timer_expiry == UINT64_MAX);
	assert(lapic->enabled || (!lapic_pending(lapic) && lapic_accepts_extint(lapic)));
}

/* The timers' next events are in the future once they have been advanced. */
static void check_next(uint64_t next, uint64_t now)
{
	assert(next > now || next == UINT64_MAX);
}

static void check(struct fuzz_chips *f)
{
	for (unsigned i = 0; i < CPUS; i++)
		check_lapic(&f->lapics[i]);
	for (unsigned i = 0; i < PIT_COUNTERS; i++)
		assert(!f->pit.counters[i].loaded || f->pit.counters[i].initial > 0);
	for (unsigned i = 0; i < 2; i++)
		assert(f->pic.chips[i].lowest < 8 && !(f->pic.chips[i].vector & 7));
	assert(!pic_output(&f->pic) || f->pic.chips[0].initialized);
}

/* --- what a guest does ------------------------------------------------------------------------ */

static void access_lapic(struct fuzz_chips *f, struct input *in)
{
	unsigned how = (unsigned)take(in, 1), len = how & 4 ? how >> 4 : 4;
	struct lapic *lapic = &f->lapics[how % 4 % CPUS];
	uint32_t offset = (uint32_t)take(in, 1) * 16 % 4096;
	uint8_t data[16] = {0};

	if (how & 4)
		offset = (offset + (uint32_t)take(in, 1)) % (4096 - len);
	if (how & 8) {
		lapic_mmio_read(lapic, offset, data, len, f->now);
	} else {
		for (unsigned i = 0; i < len; i++)
			data[i] = (uint8_t)take(in, 1);
		lapic_mmio_write(lapic, offset, data, len, f->now);
	}
	/* The access has advanced the timer, if it was one. */
	lapic_timer_advance(lapic, f->now);
	check_next(lapic_timer_next(lapic), f->now);
	assert(lapic_read(lapic, 0x390, f->now) <= lapic_read(lapic, 0x380, f->now));
}

static void access_msr(struct fuzz_chips *f, struct input *in)
{
	unsigned how = (unsigned)take(in, 1);
	struct lapic *lapic = &f->lapics[how % CPUS];

	if (how & 0x80) {
		uint64_t before = lapic_base_read(lapic), flags = take(in, 2);

		if (!lapic_base_write(lapic, how & 0x40 ? take(in, 8) : 0xfee00000 | flags))
			assert(lapic_base_read(lapic) == before);
	} else if (how & 0x40) {
		lapic_deadline_write(
			lapic, how & 0x20 ? f->now + take(in, 2) : take(in, 8), f->now);
	} else {
		assert(lapic_deadline_read(lapic, f->now) == 0 ||
			lapic_deadline_read(lapic, f->now) > f->now);
	}
}

static void send_message(struct fuzz_chips *f, struct input *in)
{
	uint32_t address = (uint32_t)take(in, 4), data = (uint32_t)take(in, 2);

	if (!(data & 0x2000))
		address = 0xfee00000 | address % 0x100000;
	lapic_bus_msi(&f->bus, address, data);
}

/* A CPU takes an interrupt, from the PIC or its local APIC, and may end it. */
static void take_interrupt(struct fuzz_chips *f, struct input *in)
{
	unsigned how = (unsigned)take(in, 1);
	struct lapic *lapic = &f->lapics[how % CPUS];
	bool was_pending = lapic_pending(lapic);
	uint32_t svr = lapic->svr;
	uint8_t vector;

	if (how & 0x80 && lapic_accepts_extint(lapic)) {
		unsigned base = pic_acknowledge(&f->pic) & ~7u;

		assert(base == f->pic.chips[0].vector || base == f->pic.chips[1].vector);
		return;
	}
	vector = lapic_acknowledge(lapic);
	if (was_pending)
		assert(vector >= 16 && lapic->isr[vector / 32] >> vector % 32 & 1);
	else
		assert(vector == (svr & 0xff));
	assert(!lapic_pending(lapic)); /* no class is above the one in service (11.8.3.1) */
	if (how & 0x40)
		lapic_write(lapic, 0x0b0, 0, f->now);
}

static void access_port(struct fuzz_chips *f, struct input *in)
{
	static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x22, 0x40, 0x41,
		0x42, 0x43, 0x61, 0x40, 0x43, 0x44, 0x61};
	unsigned how = (unsigned)take(in, 1), number = how % 16;
	bool is_pic = number < 7;

	if (how & 0x80 && is_pic)
		pic_read(&f->pic, ports[number]);
	else if (how & 0x80)
		pit_read(&f->pit, ports[number], f->now);
	else if (is_pic)
		pic_write(&f->pic, ports[number], (uint8_t)take(in, 1));
	else
		pit_write(&f->pit, ports[number], (uint8_t)take(in, 1), f->now);
}

static void access_cmos(struct fuzz_chips *f, struct input *in)
{
	unsigned how = (unsigned)take(in, 1);

	cmos_select(&f->cmos, (uint8_t)how);
	if (how & 0x80)
		cmos_write(&f->cmos, (uint8_t)take(in, 1));
	cmos_read(&f->cmos);
	cmos_select(&f->cmos, 0x00);
	assert((cmos_read(&f->cmos) & 0x0f) <= 9 || f->cmos.registers[0x0b] & 0x04);
	cmos_select(&f->cmos, 0x08);
	assert(cmos_read(&f->cmos) >= 1 && cmos_read(&f->cmos) <= 0x12);
}

static void set_line(struct fuzz_chips *f, struct input *in)
{
	unsigned how = (unsigned)take(in, 1);

	if (how & 0x40)
		lapic_set_lint(&f->lapics[how % 16 % CPUS], 1, how & 0x80);
	else if (how % 16 != 0)
		pic_raise(&f->pic, how % 16, how & 0x80);
}

/* To the next event of a timer, or by a power of two. */
static void pass_time(struct fuzz_chips *f, struct input *in)
{
	unsigned how = (unsigned)take(in, 1);
	uint64_t step = (uint64_t)1 << how % 64, next = UINT64_MAX;

	if (how < 64)
		next = step < UINT64_MAX - f->now ? f->now + step : UINT64_MAX;
	else if (how & 1)
		next = pit_next(&f->pit);
	else
		next = lapic_timer_next(&f->lapics[how / 2 % CPUS]);
	if (next > f->now && (next != UINT64_MAX || how == 63))
		f->now = next;
	for (unsigned i = 0; i < CPUS; i++) {
		lapic_timer_advance(&f->lapics[i], f->now);
		check_next(lapic_timer_next(&f->lapics[i]), f->now);
	}
	f->edges = 0;
	pit_advance(&f->pit, f->now);
	assert(f->edges <= 3);
	check_next(pit_next(&f->pit), f->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const actions[])(struct fuzz_chips *, struct input *) = {access_lapic,
		pass_time, access_port, take_interrupt, access_msr, send_message, set_line,
		access_cmos};
	struct input in = input_of(data, size);
	struct fuzz_chips f = {.irq_0 = true};

	lapic_bus_init(&f.bus, &ops, &f);
	for (unsigned i = 0; i < CPUS; i++)
		lapic_init(&f.lapics[i], &f.bus);
	pic_init(&f.pic);
	pit_init(&f.pit, set_irq_0, &f);
	cmos_init(&f.cmos, 64 << 20, CPUS, fuzz_time, &f);
	while (in.next != in.end) {
		actions[take(&in, 1) % 8](&f, &in);
		for (unsigned i = 0; i < CPUS; i++)
			lapic_set_lint(&f.lapics[i], 0, pic_output(&f.pic));
		check(&f);
	}
	return 0;
}
