/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_SOFT_MACHINE_H
#define TESTS_SOFT_MACHINE_H

/*
 * The software engine with a small machine around it: a megabyte of RAM, and ports that note who
 * accessed them and when. Tests give it code as hexadecimal digits and call the engine's functions
 * as the machine does, through engine_soft.
 *
 * Each CPU's code is at CODE(cpu), its stack below STACK(cpu). An IDT is at IDT; the handler of
 * each vector writes that vector to PORT_VECTOR, ends the interrupt at the local APIC, and returns.
 */

#include "cpu/engine.h"

#define CPUS_MAX   4
#define IDT        0x1000u
#define GDT        0x2000u
#define HANDLERS   0x3000u /* the handler of vector n is at HANDLERS + 32 * n */
#define CODE(cpu)  (0x10000u + 0x1000u * (cpu))
#define STACK(cpu) (0x20000u + 0x1000u * (cpu))
#define RAM_SIZE   0x100000u

#define PORT_VECTOR 0x80
#define PORT_START  0x90 /* AL is a CPU, which is started at its CODE(); see start_outcome */
#define PORT_YIELD  0x91 /* the engine's run() is to return soon */
#define PORT_RAISE  0x92 /* AL is a GSI, which is raised */
#define PORT_END    0x93 /* the machine ends with status AL */

/* Loads the IDT, enables the local APIC and interrupts. The data that it needs is at IDT. */
#define ENABLE_INTERRUPTS "0f011d001f0000 c705f000e0feff010000 fb "

struct port_access {
	unsigned cpu;
	uint16_t port;
	bool is_write;
	uint32_t value;
	unsigned len;
	uint64_t now; /* guest time */
};

struct soft_machine {
	struct memory memory;
	struct engine *engine;
	struct port_access accesses[4096]; /* in their order; further ones are only counted */
	unsigned count;
	unsigned mmio_count;
	uint64_t mmio_first, mmio_last; /* addresses of the first and the last access to a device */
	int start_outcome[CPUS_MAX];
	struct entry_state state[CPUS_MAX]; /* of CPUs that PORT_START starts */
	unsigned triple_faults;
	bool takes_triple_faults; /* as resets that the guest asked for */
	bool ended;
	int status;
};

/* Makes a machine; soft_machine_close() undoes it. Ends the program if that fails. */
void soft_machine_open(struct soft_machine *machine, enum engine_irqchip irqchip,
	enum engine_clock clock, unsigned cpu_count);
void soft_machine_close(struct soft_machine *machine);

/* Stores bytes, given as hexadecimal digits with spaces. Returns the address behind them. */
uint32_t soft_machine_put(struct soft_machine *machine, uint32_t address, const char *hex);

/* Starts the boot CPU in flat 32-bit segments at CODE(0). */
void soft_machine_start(struct soft_machine *machine);

/* Calls the engine's run() once. Returns how long it may sleep. */
int64_t soft_machine_run(struct soft_machine *machine);

/* Calls run() until this many ports were accessed or the machine has ended, at most a thousand
 * times. Returns whether so many were accessed. */
bool soft_machine_run_to(struct soft_machine *machine, unsigned count);

/* The accesses to a port. */
unsigned soft_machine_count(const struct soft_machine *machine, uint16_t port);

enum cpu_activity soft_machine_activity(const struct soft_machine *machine, unsigned cpu);

#endif
