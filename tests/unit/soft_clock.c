/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest time of the software engine, by both clocks: what an instruction takes, when timers
 * interrupt, and how long an idle machine sleeps. Points name a section of spec/engines.md
 * ("engines"), engine.h, or the SDM.
 */
#include <stdio.h>

#include "../soft_machine.h"
#include "../tap.h"

static struct soft_machine m;

/* The timer's registers: divide by 1, one-shot with vector 0x40, and the initial count. */
#define DIVIDE_BY_1  "c705 e003e0fe 0b000000 "
#define ONE_SHOT     "c705 2003e0fe 40000000 "
#define DEADLINE     "c705 2003e0fe 40000400 "
#define COUNT(count) "c705 8003e0fe " count " "
#define MARK         "e670 " /* out 0x70, al */
#define COUNT_5000   COUNT("88130000")
#define COUNT_SECOND COUNT("00ca9a3b")

/* A handler writes its port after two instructions of its own. */
#define HANDLER_NS 2

static void start(enum engine_clock clock, unsigned cpu_count, const char *hex)
{
	soft_machine_open(&m, ENGINE_IRQCHIP_APIC, clock, cpu_count);
	soft_machine_put(&m, CODE(0), hex);
	soft_machine_start(&m);
}

static uint64_t now(void)
{
	return m.engine->ops->now(m.engine);
}

/* --- the virtual clock ------------------------------------------------------------------------ */

static void test_instructions(void)
{
	/* mark; eight times nop; mark; rdtsc; out 0x71, eax */
	start(ENGINE_CLOCK_VIRTUAL, 1, MARK "9090909090909090 " MARK "0f31 e771 e691 ebfe");
	is(now(), 0, "engines 4: guest time begins with the guest");
	soft_machine_run(&m);
	is(m.accesses[1].now - m.accesses[0].now, 9, "engines 4: an instruction takes 1 ns");
	is(m.accesses[2].value, m.accesses[2].now - 1, "engines 4: the TSC is guest time");
	soft_machine_close(&m);
}

/* When the handler of vector 0x40 wrote its port; 0: never. */
static uint64_t handled_at(void)
{
	for (unsigned i = 0; i < m.count; i++)
		if (m.accesses[i].port == PORT_VECTOR && m.accesses[i].value == 0x40)
			return m.accesses[i].now - HANDLER_NS;
	return 0;
}

static void test_exact_timer(void)
{
	/* The timer starts with the instruction after the mark. */
	start(ENGINE_CLOCK_VIRTUAL, 1,
		ENABLE_INTERRUPTS DIVIDE_BY_1 ONE_SHOT MARK COUNT_5000 "ebfe");
	soft_machine_run_to(&m, 2);
	is(handled_at() - m.accesses[0].now, 5001,
		"engines 4: alone, a timer interrupts at its instruction exactly");
	soft_machine_close(&m);
}

static void test_shared_timer(void)
{
	uint64_t late;

	start(ENGINE_CLOCK_VIRTUAL, 2,
		"b001 e690" ENABLE_INTERRUPTS DIVIDE_BY_1 ONE_SHOT MARK COUNT_5000 "ebfe");
	soft_machine_put(&m, CODE(1), "ebfe");
	soft_machine_run_to(&m, 3);
	late = handled_at() - m.accesses[1].now - 5001;
	ok(late <= 1000, "engines 4: with another CPU, up to 1000 instructions late");
	soft_machine_close(&m);
}

static void test_jump(void)
{
	uint64_t before;

	start(ENGINE_CLOCK_VIRTUAL, 1,
		ENABLE_INTERRUPTS DIVIDE_BY_1 ONE_SHOT MARK COUNT_SECOND "f4 ebfd");
	is(soft_machine_run(&m), 0, "engines 4: idle, the engine has the devices served first");
	before = now();
	ok(before < 1000, "engines 4: time stands still meanwhile");
	is(soft_machine_run(&m), 0, "engine.h then it need not wait for a timer");
	is(now(), m.accesses[0].now + 1000000001, "engines 4: but jumps to it");
	soft_machine_run_to(&m, 2);
	is(handled_at() - m.accesses[0].now, 1000000001, "engines 4: which interrupts exactly");
	is(soft_machine_run(&m), ENGINE_FOREVER, "engine.h without a timer it waits for ever");
	soft_machine_close(&m);

	/* The same again and again: jmp goes back to the mark. */
	start(ENGINE_CLOCK_VIRTUAL, 1,
		ENABLE_INTERRUPTS DIVIDE_BY_1 ONE_SHOT MARK COUNT_SECOND "f4 ebf1");
	soft_machine_run_to(&m, 3);
	ok(m.accesses[2].port == 0x70 && now() < m.accesses[2].now + 1000,
		"engines 4: the next time, too, devices are served before time jumps");
	soft_machine_close(&m);
}

/* A device that interrupts while all CPUs halt comes before the timer. */
static void test_device_first(void)
{
	const struct ioapic_route routes[IOAPIC_PINS] = {[3] = {true, 0xfee00000, 0x41}};

	start(ENGINE_CLOCK_VIRTUAL, 1,
		ENABLE_INTERRUPTS DIVIDE_BY_1 ONE_SHOT MARK COUNT_SECOND "f4 ebfd");
	m.engine->ops->set_routes(m.engine, routes);
	soft_machine_run(&m);
	m.engine->ops->raise(m.engine, 3);
	soft_machine_run_to(&m, 2);
	ok(m.accesses[1].value == 0x41 && m.accesses[1].now < 1000,
		"engines 4: time does not jump over a device's interrupt");
	soft_machine_close(&m);
}

/* IA32_TSC_ADJUST (0x3b) has the guest's TSC be another than guest time. */
static void test_deadline(void)
{
	/* wrmsr(0x3b, 1000000); mark; rdtsc; eax += 3000; wrmsr(0x6e0); rdmsr(0x6e0) */
	start(ENGINE_CLOCK_VIRTUAL, 1,
		ENABLE_INTERRUPTS "b93b000000 b840420f00 31d2 0f30 " DEADLINE MARK
				  "0f31 e771 05b80b0000 b9e0060000 0f30 0f32 e772 ebfe");
	soft_machine_run_to(&m, 4);
	is(m.accesses[1].value - 1000000, m.accesses[1].now - 1,
		"SDM 3, 18.17.3 IA32_TSC_ADJUST is added to the TSC");
	is(m.accesses[2].value, m.accesses[1].value + 3000,
		"SDM 3, 11.5.4.1 IA32_TSC_DEADLINE reads as written");
	is(handled_at(), m.accesses[1].now - 1 + 3000,
		"SDM 3, 11.5.4.1 the timer interrupts when the guest's TSC reaches it");
	soft_machine_close(&m);

	start(ENGINE_CLOCK_VIRTUAL, 1,
		ENABLE_INTERRUPTS "b93b000000 b840420f00 31d2 0f30 " DEADLINE
				  "b801000000 b9e0060000 0f30 " MARK "ebfe");
	soft_machine_run_to(&m, 2);
	ok(soft_machine_count(&m, PORT_VECTOR) == 1,
		"SDM 3, 11.5.4.1 a deadline before guest time began has passed");
	soft_machine_close(&m);
}

/* --- the host's clock ------------------------------------------------------------------------- */

static void test_host_clock(void)
{
	int64_t idle;

	start(ENGINE_CLOCK_HOST, 1,
		ENABLE_INTERRUPTS DIVIDE_BY_1 ONE_SHOT MARK COUNT_SECOND "f4 ebfd");
	/* The host is busy, and its clock may come to the timer before the guest halts. */
	idle = soft_machine_run(&m);
	ok(idle >= 0 && idle <= 1000000000, "engine.h idle, it waits until the timer");
	soft_machine_close(&m);

	start(ENGINE_CLOCK_HOST, 1, "f4");
	is(soft_machine_run(&m), ENGINE_FOREVER, "engine.h without a timer it waits for ever");
	soft_machine_close(&m);

	start(ENGINE_CLOCK_HOST, 1, MARK MARK "ebfe");
	soft_machine_run_to(&m, 2);
	ok(m.accesses[1].now >= m.accesses[0].now && now() > 0,
		"engines 4: time follows the host's clock");
	soft_machine_close(&m);
}

int main(void)
{
	test_instructions();
	test_exact_timer();
	test_shared_timer();
	test_jump();
	test_device_first();
	test_deadline();
	test_host_clock();
	return tap_done();
}
