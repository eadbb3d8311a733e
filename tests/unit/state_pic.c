/* SPDX-License-Identifier: BSD-2-Clause */
/* What the report on a machine's state says of a PC's PICs. Each test begins with PICs that are set
 * up, with nothing masked, and a CPU that has halted. */
#include "see/state_text.h"

#include <stdio.h>
#include <string.h>

#include "../tap.h"

static struct state state;
static struct state_cpu cpu;
static struct text text;

static void set_up(uint16_t port, uint8_t vector)
{
	pic_write(&state.pic, port, 0x11);
	pic_write(&state.pic, port + 1, vector);
	pic_write(&state.pic, port + 1, 4);
	pic_write(&state.pic, port + 1, 1);
}

static void begin(void)
{
	cpu = (struct state_cpu){.is_known = true,
		.state = {.activity = CPU_HALTED,
			.interrupts_on = true,
			.lapic = {.present = true,
				.enabled = true,
				.lvt[CPU_LVT_LINT0] = 0x700,
				.timer_left = CPU_TIMER_NEVER}}};
	state = (struct state){.cpu_count = 1, .cpus = &cpu, .has_pics = true};
	pic_init(&state.pic);
	set_up(PIC_MASTER_PORT, 0x20);
	set_up(PIC_SLAVE_PORT, 0x28);
}

static void raise_irq(unsigned irq)
{
	pic_raise(&state.pic, irq, true);
	pic_raise(&state.pic, irq, false);
}

/* Whether the report has these lines and no other. */
static bool reports(const char *lines)
{
	text_begin(&text);
	state_report_parts(&state, STATE_TEXT_INTERRUPTS, &text);
	if (strcmp(text_lines(&text), lines) == 0)
		return true;
	printf("# got:\n%s", text_lines(&text));
	return false;
}

#define SERVICE(irq, port) \
	"  IRQ " irq " in service, without an EOI so far (port " port "; 8259A, OCW2)\n"

static void test_service(void)
{
	begin();
	ok(reports(""), "nothing in service, and nothing that waits");
	raise_irq(0);
	ok(reports("  IRQ 0 (timer) waits\n"), "an interrupt that the CPU takes next");
	pic_acknowledge(&state.pic);
	ok(reports(SERVICE("0 (timer)", "0x20")), "in service");
	raise_irq(1);
	ok(reports(SERVICE("0 (timer)", "0x20") "  IRQ 1 (keyboard) waits behind IRQ 0\n"),
		"one of lower priority");

	begin();
	raise_irq(8);
	pic_acknowledge(&state.pic);
	pic_write(&state.pic, PIC_SLAVE_PORT, 0x20);
	raise_irq(9);
	ok(reports(SERVICE("2 (the second PIC)", "0x20") "  IRQ 9 waits behind IRQ 2\n"),
		"the first PIC's EOI is forgotten");
}

static void test_obstacles(void)
{
	begin();
	raise_irq(0);
	cpu.state.interrupts_on = false;
	cpu.state.activity = CPU_RUNNING;
	ok(reports("  IRQ 0 (timer) waits, but interrupts are off\n"), "interrupts are off");
	cpu.state.lapic.lvt[CPU_LVT_LINT0] = 0x10700;
	ok(reports("  IRQ 0 (timer) waits, but no local APIC takes it (LVT LINT0; Intel SDM 3, "
		   "11.5.1)\n"),
		"LINT0 is masked");
}

static void test_closed(void)
{
	static const char masked[] =
		"  IRQ 0 (timer) waits, but is masked (port 0x21, bit 0; 8259A, OCW1)\n";

	begin();
	raise_irq(0);
	pic_write(&state.pic, PIC_MASTER_PORT + 1, 0x01);
	ok(reports(masked), "masked");
	state.uses_ioapic = true;
	ok(reports(""), "... which is no news where the IOAPIC is used");
	state.uses_ioapic = false;
	cpu.state.lapic.timer_left = 1000;
	ok(reports(""), "... nor where a local APIC's timer runs");
	cpu.state.lapic.timer_left = CPU_TIMER_NEVER;
	cpu.state.activity = CPU_RUNNING;
	ok(reports(""), "... nor while the CPU runs");

	begin();
	raise_irq(8);
	pic_write(&state.pic, PIC_MASTER_PORT + 1, 0x04);
	ok(reports("  IRQ 8 waits, but IRQ 2, by which the second PIC interrupts, is masked (port "
		   "0x21, bit 2; 8259A, OCW1)\n"),
		"the second PIC's interrupt is masked");

	begin();
	pic_init(&state.pic);
	raise_irq(1);
	ok(reports("  IRQ 1 (keyboard) waits, but the PIC was not set up (ports 0x20 and 0x21; "
		   "8259A, ICW1 to ICW4)\n"),
		"the PIC was never set up");
}

int main(void)
{
	test_service();
	test_obstacles();
	test_closed();
	return tap_done();
}
