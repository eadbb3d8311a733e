/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of the software engine: GSIs by both kinds of controllers, INIT, SIPI and NMI, what a
 * halted CPU waits for, and the ports and addresses that the engine answers itself. Points name
 * engine.h, a section of spec/engines.md ("engines"), or the SDM.
 */
#include <errno.h>

#include "../soft_machine.h"
#include "../tap.h"

static struct soft_machine m;

static void start(enum engine_irqchip irqchip, unsigned cpu_count, const char *hex)
{
	soft_machine_open(&m, irqchip, ENGINE_CLOCK_VIRTUAL, cpu_count);
	soft_machine_put(&m, CODE(0), hex);
	soft_machine_start(&m);
}

#define HALT "f4 ebfd "

/* --- GSIs ------------------------------------------------------------------------------------- */

static void test_routes(void)
{
	struct ioapic_route routes[IOAPIC_PINS] = {
		[5] = {true, 0xfee00000, 0x41}, [6] = {false, 0xfee00000, 0x42}};
	const struct engine_ops *ops = &engine_soft;
	unsigned connected = 0;

	start(ENGINE_IRQCHIP_APIC, 2, "b001 e690 " ENABLE_INTERRUPTS HALT);
	soft_machine_put(&m, CODE(1), ENABLE_INTERRUPTS HALT);
	for (unsigned gsi = 0; gsi < IOAPIC_PINS; gsi++)
		connected += ops->connect(m.engine, gsi) == 0;
	is(connected, IOAPIC_PINS, "engine.h connect() takes each GSI");
	is(ops->set_routes(m.engine, routes), 0, "engine.h set_routes()");
	for (unsigned i = 0; i < 10; i++)
		soft_machine_run(&m);
	is(soft_machine_run(&m), ENGINE_FOREVER, "engine.h all CPUs have halted");
	ops->raise(m.engine, 6);
	ops->raise(m.engine, 7);
	is(soft_machine_run(&m), ENGINE_FOREVER, "engine.h raise() without a route: nothing");
	ops->raise(m.engine, 5);
	soft_machine_run_to(&m, 2);
	ok(m.count == 2 && m.accesses[1].cpu == 0 && m.accesses[1].value == 0x41,
		"engine.h raise() goes where the route says");
	routes[5] = (struct ioapic_route){true, 0xfee01000, 0x43};
	ops->set_routes(m.engine, routes);
	ops->raise(m.engine, 5);
	soft_machine_run_to(&m, 3);
	ok(m.count == 3 && m.accesses[2].cpu == 1 && m.accesses[2].value == 0x43,
		"engine.h set_routes() replaces all routes");
	soft_machine_close(&m);
}

/* CPU 0 raises a GSI in one of its callbacks. */
static void test_raise_in_callback(void)
{
	const struct ioapic_route routes[IOAPIC_PINS] = {[5] = {true, 0xfee01000, 0x41}};

	start(ENGINE_IRQCHIP_APIC, 2, "b001 e690 f390 f390 b005 e692 e670 ebfc");
	soft_machine_put(&m, CODE(1), ENABLE_INTERRUPTS HALT);
	engine_soft.set_routes(m.engine, routes);
	soft_machine_run_to(&m, 3);
	ok(m.accesses[1].port == PORT_RAISE && m.accesses[2].cpu == 1 &&
			m.accesses[2].value == 0x41,
		"engine.h raise() in a callback: the CPU that it wakes is next");
	soft_machine_close(&m);
}

/* out 0x20 and 0x21: ICW1 to ICW4, vectors from 0x30 on; mask; and the slave's mask */
#define INIT_PIC(mask) "b011 e620 b030 e621 b004 e621 b001 e621 b0" mask " e621 b0ff e6a1 "

static void test_pc(void)
{
	start(ENGINE_IRQCHIP_PC, 1, "0f011d001f0000 " INIT_PIC("d7") "fb " HALT);
	soft_machine_run(&m);
	is(m.count, 0, "engine.h the engine answers the PICs' ports");
	engine_soft.raise(m.engine, 3);
	soft_machine_run_to(&m, 1);
	ok(m.count == 1 && m.accesses[0].value == 0x33,
		"engine.h GSI 3 is input 3 of the PICs, which interrupt the boot CPU");
	engine_soft.raise(m.engine, 7);
	soft_machine_run(&m);
	is(m.count, 1, "8259A: a masked input does not");
	soft_machine_close(&m);

	/* IOAPIC: entry 20 is vector 0x45 to CPU 0 */
	start(ENGINE_IRQCHIP_PC, 1,
		ENABLE_INTERRUPTS "c705 0000c0fe 38000000 c705 1000c0fe 45000000 " HALT);
	soft_machine_run(&m);
	is(m.mmio_count, 0, "engine.h the engine answers the IOAPIC's registers");
	engine_soft.raise(m.engine, 20);
	soft_machine_run_to(&m, 1);
	ok(m.count == 1 && m.accesses[0].value == 0x45, "engine.h GSI 20 is its pin 20");
	soft_machine_close(&m);
}

/* The timer: counter 0, mode 2, count 1193 is a millisecond. */
static void test_pit(void)
{
	uint64_t first;

	start(ENGINE_IRQCHIP_PC, 1,
		"0f011d001f0000 " INIT_PIC("fe") "b034 e643 b0a9 e640 b004 e640 fb f4 b020 e620 "
						 "ebf9");
	soft_machine_run_to(&m, 2);
	first = m.accesses[0].now;
	ok(m.accesses[0].value == 0x30 && first > 900000 && first < 1100000,
		"8254: the timer is IRQ 0");
	ok(m.accesses[1].value == 0x30 && m.accesses[1].now - first > 990000 &&
			m.accesses[1].now - first < 1010000,
		"8254: and comes again, while the virtual clock jumps");
	soft_machine_close(&m);
}

/* --- what the engine answers ------------------------------------------------------------------ */

static void test_ports(void)
{
	/* in al, 0x21; in al, 0x40; in al, 0x61 */
	start(ENGINE_IRQCHIP_APIC, 1, "e421 e440 e461 e691 ebfe");
	soft_machine_run(&m);
	ok(m.count == 4 && m.accesses[0].port == 0x21 && m.accesses[1].port == 0x40 &&
			m.accesses[2].port == 0x61,
		"engine.h without a PC's chips their ports are the machine's");
	soft_machine_close(&m);

	start(ENGINE_IRQCHIP_PC, 1, "e421 e440 e461 e691 ebfe");
	soft_machine_run(&m);
	is(m.count, 1, "engine.h with them they are not");
	soft_machine_close(&m);

	/* in eax, 0x70; out 0x71, ax */
	start(ENGINE_IRQCHIP_PC, 1, "e570 66e771 e691 ebfe");
	soft_machine_run(&m);
	ok(m.accesses[0].len == 4 && m.accesses[1].len == 2 && m.accesses[1].value == 0x5a5a,
		"cpu.h port(): the widths of accesses, and what was read");
	soft_machine_close(&m);
}

static void test_lapic_page(void)
{
	/* mov eax, [0xfee00030]; out 0x70, eax; the same after IA32_APIC_BASE.11 is clear */
	start(ENGINE_IRQCHIP_APIC, 1,
		"a13000e0fe e770 b91b000000 0f32 25fff7ffff 0f30 a13000e0fe e770 e691 ebfe");
	soft_machine_run(&m);
	is(m.accesses[0].value & 0xff, 0x14, "SDM 3, 11.4.8 the local APIC's version");
	ok(m.accesses[1].value == 0x5a5a5a5a && m.mmio_last == 0xfee00030,
		"SDM 3, 11.4.3 disabled, the page is the machine's");
	soft_machine_close(&m);

	start(ENGINE_IRQCHIP_NONE, 1, "a13000e0fe e770 e691 0f011d001f0000 b91b000000 0f32");
	soft_machine_run(&m);
	is(m.mmio_count, 1, "engine.h ENGINE_IRQCHIP_NONE: no local APIC");
	soft_machine_run_to(&m, 3);
	ok(m.accesses[2].port == PORT_VECTOR && m.accesses[2].value == 13,
		"SDM 4, 2.1 and no IA32_APIC_BASE: #GP");
	soft_machine_close(&m);
}

/* --- INIT, SIPI and NMI ----------------------------------------------------------------------- */

/* ICR for CPU 1: its high half, and its low half with this mode and vector. */
#define TO_CPU_1   "c705 1003e0fe 00000001 "
#define SEND(low)  "c705 0003e0fe " low " "
#define SEND_INIT  SEND("00450000")
#define SEND_SIPI2 SEND("12460000") /* to 0x12000, which is CODE(2) */
#define SEND_SIPI3 SEND("13460000")
#define SEND_NMI   SEND("00440000")

static void test_sipi(void)
{
	static const uint32_t frame[CPU_FRAME_WORDS];
	struct cpu_branch branches[CPU_BRANCHES];
	struct cpu *cpu;
	unsigned count;

	start(ENGINE_IRQCHIP_APIC, 2,
		TO_CPU_1 SEND_INIT SEND_SIPI2 "f390 e691 " SEND_SIPI3 "f390 e671 " SEND_INIT
					      "f390 e691 ebfe");
	/* In real mode: mov ax, cs; out 0x70, ax; for ever */
	soft_machine_put(&m, CODE(2), "8cc8 e770 f390 ebf8");
	soft_machine_put(&m, CODE(3), "e673 ebfe");
	soft_machine_run(&m);
	ok(m.accesses[0].cpu == 1 && m.accesses[0].value == 0x1200 && m.accesses[0].len == 2,
		"SDM 3, 9.4.4.1 SIPI starts at vector << 12, in real mode");
	is(soft_machine_activity(&m, 1), CPU_RUNNING, "engine.h activity() after SIPI");
	soft_machine_run(&m);
	is(soft_machine_count(&m, 0x73), 0, "SDM 3, 9.4.4 a CPU that runs ignores SIPI");
	is(soft_machine_count(&m, 0x71), 1, "engine.h the one that sent it goes on");
	is(soft_machine_activity(&m, 1), CPU_NOT_STARTED, "SDM 3, 9.4.2 INIT: it waits for SIPI");
	cpu = m.engine->ops->cpu(m.engine, 1);
	count = cpu->ops->branches(cpu, branches);
	ok(count > 0 && branches[count - 1].vector == CPU_BRANCH_INIT &&
			branches[count - 1].from >> 12 == CODE(2) >> 12 &&
			branches[count - 1].to == 0xfffffff0,
		"cpu.h branches(): INIT has led to the reset vector");
	is(engine_soft.start_cpu(m.engine, 1, &m.state[1], frame), -EBUSY,
		"engine.h start_cpu() of a CPU that SIPI started: -EBUSY");
	soft_machine_close(&m);
}

static void test_init_of_the_boot_cpu(void)
{
	start(ENGINE_IRQCHIP_APIC, 1, "c705 1003e0fe 00000000 " SEND_INIT "ebfe");
	soft_machine_run(&m);
	is(m.mmio_first, 0xfffffff0, "SDM 3, 9.4.2 INIT: the boot CPU begins at the reset vector");
	soft_machine_close(&m);
}

static void test_activity(void)
{
	start(ENGINE_IRQCHIP_APIC, 3,
		"b001 e690 b002 e690 f390 f390 e691 " TO_CPU_1 SEND_NMI "ebfe");
	soft_machine_put(&m, CODE(1), "0f011d001f0000 fa " HALT);
	soft_machine_put(&m, CODE(2), ENABLE_INTERRUPTS HALT);
	soft_machine_run_to(&m, 3);
	is(soft_machine_activity(&m, 0), CPU_RUNNING, "engine.h activity(): a CPU that executes");
	is(soft_machine_activity(&m, 1), CPU_HALTED_FOR_GOOD,
		"engine.h activity(): one that has halted with interrupts off");
	is(soft_machine_activity(&m, 2), CPU_HALTED, "engine.h activity(): and with them on");
	soft_machine_run_to(&m, 4);
	ok(m.accesses[3].cpu == 1 && m.accesses[3].value == 2,
		"SDM 3, 6.7 NMI wakes a CPU that has halted with interrupts off");
	for (unsigned i = 0; i < 3; i++)
		soft_machine_run(&m);
	ok(m.count == 4 && soft_machine_activity(&m, 1) == CPU_HALTED_FOR_GOOD, "SDM 3, 6.7 once");
	soft_machine_close(&m);
}

static void test_ipi(void)
{
	/* to itself, vector 0x50, with interrupts off; then sti; nop */
	start(ENGINE_IRQCHIP_APIC, 1,
		ENABLE_INTERRUPTS "fa " SEND("50000400") "e670 fb 90 e671 e691 ebfe");
	soft_machine_run_to(&m, 4);
	ok(m.accesses[0].port == 0x70 && m.accesses[1].value == 0x50 && m.accesses[2].port == 0x71,
		"SDM 3, 6.8.1 an IPI waits until IF is set, and for one instruction more");
	soft_machine_close(&m);
}

int main(void)
{
	test_routes();
	test_raise_in_callback();
	test_pc();
	test_pit();
	test_ports();
	test_lapic_page();
	test_sipi();
	test_init_of_the_boot_cpu();
	test_activity();
	test_ipi();
	return tap_done();
}
