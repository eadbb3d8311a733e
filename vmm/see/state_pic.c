/* SPDX-License-Identifier: BSD-2-Clause */
/* What a PC's two PICs have in service, and which of their interrupts wait for what. Command words
 * are those of the 8259A data sheet. */
#include "see/state_parts.h"

#define PINS    8 /* of each PIC */
#define CASCADE 2 /* the IRQ by which the second one interrupts */

#define LVT_DELIVERY(e) ((e) >> 8 & 7)
#define DELIVERY_EXTINT 7

/* Ports of each PIC: for commands, and for its mask. */
static const unsigned command_port[] = {PIC_MASTER_PORT, PIC_SLAVE_PORT};
#define MASK_PORT(number) (command_port[number] + 1)

static void begin_line(unsigned irq, struct text *text)
{
	static const char *const owners[PIC_IRQS] = {
		[0] = "timer", [1] = "keyboard", [CASCADE] = "the second PIC", [4] = "serial port"};

	text_add(text, "  IRQ %u", irq);
	if (owners[irq])
		text_add(text, " (%s)", owners[irq]);
}

/* Returns the pin in service that keeps a PIC's pin from interrupting: itself, or one of higher
 * priority; -1: there is none. In special fully nested mode a slave's pin does not keep itself. */
static int find_blocker(const struct pic_chip *chip, unsigned pin)
{
	uint8_t blocking = chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr;

	if (chip->special_fully_nested && chip->slaves >> pin & 1)
		blocking &= (uint8_t) ~(1u << pin);
	for (unsigned place = 1; place <= PINS; place++) {
		unsigned other = (chip->lowest + place) % PINS;

		if (blocking >> other & 1)
			return (int)other;
		if (other == pin)
			return -1;
	}
	return -1;
}

/* Whether nothing but the PICs can interrupt a CPU: all that were started sleep, no local APIC's
 * timer runs, and the IOAPIC is not in use. Interrupts that others may handle wait at the PICs of a
 * kernel that has masked them or never set them up. */
static bool waits_for_pics(const struct state *state)
{
	bool is_waiting = false;

	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct cpu_state *cpu = &state->cpus[id].state;

		if (!state->cpus[id].is_known || cpu->activity == CPU_RUNNING || cpu->in_callback ||
			cpu->lapic.timer_left != CPU_TIMER_NEVER)
			return false;
		is_waiting |= cpu->activity == CPU_HALTED;
	}
	return is_waiting && !state->uses_ioapic;
}

/* Returns why no CPU takes what the PICs request; "" if nothing is in its way but time. */
static const char *find_obstacle(const struct state *state)
{
	bool is_taken = false, is_on = false;

	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct cpu_state *cpu = &state->cpus[id].state;
		uint32_t entry = cpu->lapic.lvt[CPU_LVT_LINT0];

		if (!state->cpus[id].is_known || cpu->activity == CPU_NOT_STARTED)
			continue;
		if (cpu->lapic.enabled &&
			(entry & LVT_MASKED || LVT_DELIVERY(entry) != DELIVERY_EXTINT))
			continue;
		is_taken = true;
		is_on |= cpu->interrupts_on;
	}
	if (!is_taken)
		return ", but no local APIC takes it (LVT LINT0; Intel SDM 3, 11.5.1)";
	return is_on ? "" : ", but interrupts are off";
}

static bool is_set_up(const struct pic_chip *chip)
{
	return chip->initialized && !chip->icws_left;
}

/* An interrupt that is masked, or that comes to a PIC which was not set up. */
static void report_closed(const struct state *state, unsigned irq, struct text *text)
{
	unsigned number = irq / PINS, pin = irq % PINS;

	if (!waits_for_pics(state))
		return;
	begin_line(irq, text);
	if (!is_set_up(&state->pic.chips[number]))
		text_line(text,
			" waits, but the PIC was not set up (ports 0x%x and 0x%x; 8259A, ICW1 "
			"to ICW4)",
			command_port[number], MASK_PORT(number));
	else if (state->pic.chips[number].imr >> pin & 1)
		text_line(text, " waits, but is masked (port 0x%x, bit %u; 8259A, OCW1)",
			MASK_PORT(number), pin);
	else
		text_line(text,
			" waits, but IRQ 2, by which the second PIC interrupts, is masked (port "
			"0x%x, bit %u; 8259A, OCW1)",
			MASK_PORT(0), CASCADE);
}

static bool is_closed(const struct pic *pic, unsigned irq)
{
	const struct pic_chip *chip = &pic->chips[irq / PINS];

	return !is_set_up(chip) || chip->imr >> irq % PINS & 1 ||
	       (irq >= PINS && pic->chips[0].imr >> CASCADE & 1);
}

static void report_waiting(const struct state *state, unsigned irq, struct text *text)
{
	const struct pic *pic = &state->pic;
	int blocker = find_blocker(&pic->chips[irq / PINS], irq % PINS);

	if (is_closed(pic, irq)) {
		report_closed(state, irq, text);
		return;
	}
	if (blocker >= 0 && irq >= PINS)
		blocker += PINS;
	else if (irq >= PINS)
		blocker = find_blocker(&pic->chips[0], CASCADE);
	begin_line(irq, text);
	if (blocker >= 0)
		text_line(text, " waits behind IRQ %d", blocker);
	else
		text_line(text, " waits%s", find_obstacle(state));
}

void state_report_pics(const struct state *state, struct text *text)
{
	if (!state->has_pics)
		return;
	for (unsigned irq = 0; irq < PIC_IRQS; irq++) {
		if (!(state->pic.chips[irq / PINS].isr >> irq % PINS & 1))
			continue;
		begin_line(irq, text);
		text_line(text, " in service, without an EOI so far (port 0x%x; 8259A, OCW2)",
			command_port[irq / PINS]);
	}
	for (unsigned irq = 0; irq < PIC_IRQS; irq++)
		if (irq != CASCADE && pic_requests(&state->pic.chips[irq / PINS]) >> irq % PINS & 1)
			report_waiting(state, irq, text);
}
