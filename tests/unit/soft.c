/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software engine by the functions of cpu/engine.h: how CPUs start, take turns and end. Points
 * name what they rest on: engine.h, a section of spec/engines.md ("engines"), or the SDM.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../capture.h"
#include "../soft_machine.h"
#include "../tap.h"
#include "exit_status.h"

static struct soft_machine m;

static void open_machine(unsigned cpu_count)
{
	soft_machine_open(&m, ENGINE_IRQCHIP_APIC, ENGINE_CLOCK_VIRTUAL, cpu_count);
}

/* --- beginning -------------------------------------------------------------------------------- */

static void read_registers(unsigned id, struct cpu_registers *registers)
{
	struct cpu *cpu = m.engine->ops->cpu(m.engine, id);

	is(cpu->ops->registers(cpu, registers), 0, "engine.h registers() of CPU %u", id);
}

static void test_open(void)
{
	static const struct {
		enum cpu_activity activity;
	} expected[] = {{CPU_RUNNING}, {CPU_NOT_STARTED}, {CPU_NOT_STARTED}, {CPU_NOT_STARTED}};

	open_machine(CPUS_MAX);
	is(m.engine->tsc_khz, 1000000, "engines 2: the TSC counts nanoseconds");
	ok(!m.engine->ops->absent(), "engines 1: the engine is there on every host");
	soft_machine_start(&m);
	for (unsigned id = 0; id < CPUS_MAX; id++) {
		is(m.engine->ops->cpu(m.engine, id)->id, id, "engine.h cpu() %u", id);
		is(soft_machine_activity(&m, id), expected[id].activity,
			"engine.h activity() of CPU %u before its first instruction", id);
	}
	soft_machine_close(&m);

	open_machine(1);
	soft_machine_close(&m);
	ok(true, "engine.h stop() and free() without start()");
}

static void test_flat_state(void)
{
	struct cpu_registers registers;
	struct cpu *cpu;
	uint64_t gpa;

	open_machine(1);
	m.state[0].eax = 0xaaaa0000;
	m.state[0].ebx = 0xbbbb0000;
	m.state[0].esi = 0x51510000;
	soft_machine_put(&m, CODE(0), "e691 ebfe"); /* out PORT_YIELD, al; jmp . */
	soft_machine_start(&m);
	soft_machine_run(&m);
	read_registers(0, &registers);
	is(registers.rip, CODE(0) + 2, "entry_state.h EIP, past the instruction that yielded");
	is(registers.general[CPU_RAX], 0xaaaa0000, "entry_state.h EAX");
	is(registers.general[CPU_RBX], 0xbbbb0000, "entry_state.h EBX");
	is(registers.general[CPU_RSI], 0x51510000, "entry_state.h ESI");
	is(registers.general[CPU_RSP], STACK(0) - 8, "entry_state.h ESP");
	ok(registers.cs.selector == 8 && registers.ds.selector == 0x10 &&
			registers.ss.selector == 0x10 && registers.es.selector == 0x10,
		"entry_state.h selectors");
	ok(registers.cs.base == 0 && registers.cs.limit == UINT32_MAX && registers.ss.base == 0 &&
			registers.ss.limit == UINT32_MAX,
		"entry_state.h segments are flat");
	ok(registers.gdt.base == GDT && registers.gdt.limit == 23, "entry_state.h GDT");
	is(registers.cr0 & 0x80000001, 1, "entry_state.h protected mode without paging");
	is(registers.rflags & 0x200, 0, "entry_state.h interrupts are off");
	cpu = m.engine->ops->cpu(m.engine, 0);
	is(cpu->ops->position(cpu), CODE(0) + 2, "cpu.h position() is that of CS:EIP");
	ok(cpu->ops->translate(cpu, 0x12345, &gpa) == 0 && gpa == 0x12345,
		"cpu.h translate() without paging");
	soft_machine_close(&m);
}

static void test_other_states(void)
{
	struct cpu_registers registers;

	open_machine(1);
	m.state[0] = (struct entry_state){.mode = ENTRY_REAL16,
		.code_selector = 0x1000,
		.data_selector = 0x0200,
		.esp = 0xfffe};
	soft_machine_put(&m, CODE(0), "e691 ebfe");
	soft_machine_start(&m);
	soft_machine_run(&m);
	read_registers(0, &registers);
	is(registers.rip, 2, "entry_state.h real mode: IP is an offset");
	ok(registers.cs.base == 0x10000 && registers.cs.limit == 0xffff &&
			registers.ds.base == 0x2000 && registers.ss.base == 0x2000,
		"SDM 3, 21.1.1 real mode: segments begin at 16 times their selectors");
	is(registers.cr0 & 1, 0, "entry_state.h real mode: CR0.PE is clear");
	soft_machine_close(&m);

	open_machine(1);
	m.state[0].mode = ENTRY_RESET;
	soft_machine_start(&m);
	read_registers(0, &registers);
	is(registers.cs.base + registers.rip, RESET_VECTOR, "SDM 3, 10.1.4 after a reset");
	soft_machine_close(&m);
}

/* --- start_cpu() ------------------------------------------------------------------------------ */

static uint32_t load(uint32_t address)
{
	uint32_t value;

	memcpy(&value, m.memory.host + address, sizeof value);
	return value;
}

static void test_start_cpu(void)
{
	struct cpu_registers registers;

	open_machine(3);
	/* Starts CPU 1, CPU 1 again, the boot CPU, and waits. */
	soft_machine_put(&m, CODE(0), "b001 e690 e691 b001 e690 e691 b000 e690 e691 ebfe");
	soft_machine_put(&m, CODE(1), "ebfe");
	soft_machine_start(&m);
	m.state[1].ebx = 0x1234;
	m.start_outcome[1] = 1;
	soft_machine_run_to(&m, 2);
	is(m.start_outcome[1], 0, "engine.h start_cpu() starts a CPU that waits");
	is(soft_machine_activity(&m, 1), CPU_RUNNING, "engine.h which runs then");
	is(soft_machine_activity(&m, 2), CPU_NOT_STARTED, "engine.h another one still waits");
	read_registers(1, &registers);
	ok(registers.rip == CODE(1) && registers.general[CPU_RBX] == 0x1234,
		"engine.h it begins in the state that was given");
	ok(load(STACK(1) - 8) == 0x11111111 && load(STACK(1) - 4) == 0x22222222,
		"engine.h and finds the frame at its ESP");
	memset(m.memory.host + STACK(1) - 8, 0, 8);
	soft_machine_run_to(&m, 4);
	is(m.start_outcome[1], -EBUSY, "engine.h start_cpu() of a CPU that runs: -EBUSY");
	is(load(STACK(1) - 8), 0, "engine.h then no frame is written");
	soft_machine_run_to(&m, 6);
	is(m.start_outcome[0], -EBUSY, "engine.h start_cpu() of the boot CPU: -EBUSY");
	soft_machine_close(&m);
}

static void test_start_cpu_without_stack(void)
{
	const struct engine_ops *ops;

	open_machine(3);
	ops = m.engine->ops;
	soft_machine_put(&m, CODE(0), "b001 e690 e691 ebfe");
	soft_machine_put(&m, CODE(1), "ebfe");
	soft_machine_start(&m);
	m.state[1].esp = RAM_SIZE - 4; /* the frame would be half outside of RAM */
	soft_machine_run_to(&m, 2);
	ok(m.start_outcome[1] < 0, "engine.h start_cpu() where the frame is not writable fails");
	is(soft_machine_activity(&m, 1), CPU_NOT_STARTED, "engine.h and the CPU waits");
	is(ops->start_cpu(m.engine, 1, &m.state[1], NULL), 0, "engine.h it needs none");
	is(soft_machine_activity(&m, 1), CPU_RUNNING, "engine.h and runs");
	soft_machine_close(&m);
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Three CPUs; the first one starts the others and then executes this code, as they do. */
static void start_three(const char *first, const char *others)
{
	uint32_t next;

	open_machine(3);
	next = soft_machine_put(&m, CODE(0), "b001 e690 b002 e690");
	soft_machine_put(&m, next, first);
	soft_machine_put(&m, CODE(1), others);
	soft_machine_put(&m, CODE(2), others);
	soft_machine_start(&m);
}

#define OUT_AND_PAUSE "e670 f390 ebfa" /* out 0x70, al; pause; jmp to the beginning */

static void test_order(void)
{
	unsigned first = 0;
	bool in_turn = true;

	start_three(OUT_AND_PAUSE, OUT_AND_PAUSE);
	soft_machine_run_to(&m, 100);
	while (m.accesses[first].cpu != 0 || m.accesses[first].port == PORT_START)
		first++;
	for (unsigned i = 0; i < 30; i++)
		in_turn &= m.accesses[first + i].cpu == i % 3;
	ok(in_turn, "engines 2: CPUs take turns in their order, each until PAUSE");
	soft_machine_close(&m);
}

/* The first CPU counts in memory, three instructions a time, and the others print how far it is. */
static void test_length(void)
{
	unsigned before = 0, longest = 0;

	start_three("31c0 40 a300000300 ebf8", "a100000300 e770 f390 ebf5");
	soft_machine_run_to(&m, 100);
	for (unsigned i = 0; i < 100; i++) {
		unsigned turn = m.accesses[i].value - before;

		if (m.accesses[i].port == PORT_START)
			continue;
		longest = turn > longest ? turn : longest;
		before = m.accesses[i].value;
	}
	ok(longest >= 300 && longest <= 334,
		"engines 2: without PAUSE, HLT or a kick, a turn is 1000 instructions, also the "
		"one in which the other CPUs are started");
	is(soft_machine_run(&m), 0, "engine.h run() returns 0 while there is more guest code");
	soft_machine_close(&m);

	/* The first one, which was alone, starts the other one and prints how far that is. */
	open_machine(2);
	soft_machine_put(&m, CODE(0), "b001 e690 a100000300 e770 f390 ebf5");
	soft_machine_put(&m, CODE(1), "31c0 40 a300000300 ebf8");
	soft_machine_start(&m);
	soft_machine_run_to(&m, 2);
	ok(m.accesses[1].value >= 300 && m.accesses[1].value <= 334,
		"engines 2: and the turns of those that one CPU has started");
	soft_machine_close(&m);
}

static void test_yield(void)
{
	unsigned count;

	start_three("e691 ebfc", OUT_AND_PAUSE);
	soft_machine_run(&m);
	count = m.count;
	is(m.accesses[count - 1].port, PORT_YIELD,
		"engine.h yield(): run() returns before another CPU's turn");
	soft_machine_run(&m);
	ok(m.count == count + 3 && m.accesses[count].cpu == 1 && m.accesses[count + 1].cpu == 2 &&
			m.accesses[count + 2].cpu == 0,
		"soft_run.c the round goes on with the next CPU");
	soft_machine_close(&m);
}

static void test_slice(void)
{
	uint64_t now;

	open_machine(1);
	soft_machine_put(&m, CODE(0), "ebfe");
	soft_machine_start(&m);
	is(soft_machine_run(&m), 0, "engine.h run() returns although the guest loops");
	now = m.engine->ops->now(m.engine);
	ok(now >= 100000 && now < 300000, "engine.h after about as long as a device may wait");
	is(soft_machine_run(&m), 0, "engine.h and again");
	ok(m.engine->ops->now(m.engine) > now, "engine.h having gone on");
	soft_machine_close(&m);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void test_end(void)
{
	unsigned count;

	start_three("b007 e693 e670 ebfe", OUT_AND_PAUSE);
	soft_machine_run(&m);
	count = m.count;
	ok(m.ended && m.status == 7 && m.accesses[count - 1].port == PORT_END,
		"cpu.h running(): no instruction after the one that ended the machine");
	soft_machine_run(&m);
	is(m.count, count, "cpu.h and no guest code is entered any more");
	soft_machine_close(&m);
}

static void test_halt_without_irqchip(void)
{
	char text[128];

	soft_machine_open(&m, ENGINE_IRQCHIP_NONE, ENGINE_CLOCK_VIRTUAL, 1);
	soft_machine_put(&m, CODE(0), "e670 f4 e670");
	soft_machine_start(&m);
	soft_machine_run(&m);
	ok(m.ended && m.status == 0 && m.count == 1,
		"engine.h HLT without interrupt controllers ends the machine with 0");
	m.engine->ops->describe(m.engine, 0, text, sizeof text);
	ok(strcmp(text, "2 exits, 2 instructions") == 0,
		"engines 5: exits and instructions are counted");
	soft_machine_close(&m);
}

static void test_triple_fault(void)
{
	const char *said;

	open_machine(1);
	soft_machine_put(&m, CODE(0), "0f0b"); /* ud2, and no IDT */
	soft_machine_start(&m);
	capture_begin();
	soft_machine_run(&m);
	said = capture_end();
	ok(m.triple_faults == 1 && m.ended && m.status == EXIT_STATUS_CRASH,
		"SDM 3, 6.15 interrupt 8: a triple fault is a crash");
	ok(strstr(said, "EIP 0x00010000") != NULL, "engines 5: registers are told as they were");
	soft_machine_close(&m);

	open_machine(1);
	m.takes_triple_faults = true;
	soft_machine_put(&m, CODE(0), "0f0b");
	soft_machine_start(&m);
	capture_begin();
	soft_machine_run(&m);
	is(capture_lines(capture_end()), 0, "cpu.h triple_fault(): a reset is no crash");
	soft_machine_close(&m);
}

static void test_missing(void)
{
	open_machine(1);
	/* lidt; fld1. After the handler's IRET it is executed again. */
	soft_machine_put(&m, CODE(0), "0f011d001f0000 d9e8 ebfc");
	soft_machine_start(&m);
	capture_begin();
	soft_machine_run_to(&m, 3);
	is(capture_lines(capture_end()), 1, "engines 2: what is missing is told once");
	ok(!m.ended && m.accesses[0].port == PORT_VECTOR && m.accesses[0].value == 6,
		"engines 2: the guest gets #UD");
	soft_machine_close(&m);
}

int main(void)
{
	test_open();
	test_flat_state();
	test_other_states();
	test_start_cpu();
	test_start_cpu_without_stack();
	test_order();
	test_length();
	test_yield();
	test_slice();
	test_end();
	test_halt_without_irqchip();
	test_triple_fault();
	test_missing();
	return tap_done();
}
