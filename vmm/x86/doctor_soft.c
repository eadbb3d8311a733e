/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/doctor_soft.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "cpu/memory.h"
#include "finding.h"
#include "layout.h"
#include "monotonic.h"
#include "x86/x86.h"

/* Instructions of a measurement: some milliseconds. The best of several is shown, since other
 * programs can only make it look worse. */
#define INSTRUCTIONS 1000000
#define REPEATS      5

/* No loop of a guest is slower than the one below by more than this, so what is said is about what
 * guests get. */
static const uint8_t loop[] = {
	0x01, 0xd8, /* 1: add %ebx, %eax */
	0x31, 0xc2, /* xor %eax, %edx */
	0x49,       /* dec %ecx */
	0x75, 0xf9, /* jnz 1b */
	0xeb, 0xf7, /* jmp 1b */
};

static double now_us(void)
{
	return (double)monotonic_ns() / 1e3;
}

/* Never called: the loop has no access to a port or a device, and cannot be interrupted. */
static const struct x86_bus no_bus;

/* Millions of instructions a second, or 0 if the loop was left. */
static double measure(struct x86_cpu *cpu)
{
	double best = 0;

	for (unsigned i = 0; i < REPEATS; i++) {
		double start = now_us(), speed;

		if (x86_run(cpu, INSTRUCTIONS) != X86_STOP_BUDGET)
			return 0;
		speed = INSTRUCTIONS / (now_us() - start);
		best = speed > best ? speed : best;
	}
	return best;
}

/* Has a CPU execute the loop in real mode, at address 0, where a segment begins. */
static double measure_in(struct memory *memory)
{
	struct x86_cpu cpu;
	struct x86_system system = {
		.gmem = &memory->gmem,
		.bus = &no_bus,
		.tsc_khz = 1000000,
		.apic_khz = APIC_TIMER_KHZ,
		.cpu_count = 1,
		.cpus = &cpu,
	};
	const struct x86_segment code = {
		.rights = X86_SEGMENT_P | X86_SEGMENT_S | X86_SEGMENT_CODE | X86_SEGMENT_WRITE |
			  X86_SEGMENT_ACCESSED,
		.limit = 0xffff,
	};
	double speed = 0;

	if (x86_cpu_init(&cpu, &system, 0) == 0) {
		x86_cpu_reset(&cpu, false);
		x86_set_segment(&cpu, X86_CS, &code);
		cpu.eip = cpu.next_eip = 0;
		speed = measure(&cpu);
	}
	x86_cpu_free(&cpu);
	return speed;
}

double doctor_soft(void)
{
	const struct memory_region ram = {.base = 0, .size = PAGE_SIZE};
	struct memory memory;
	double speed = 0;

	if (memory_init(&memory, &ram, 1) == 0) {
		memcpy(memory.host, loop, sizeof loop);
		speed = measure_in(&memory);
	}
	memory_free(&memory);
	if (speed > 0)
		finding(FINDING_OK, "software CPU",
			"%.0f million instructions a second, without KVM, on any host", speed);
	else
		finding(FINDING_MISSING, "software CPU", "it does not run its own test");
	return speed;
}
