/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel that stops its CPU with HLT, where nothing wakes it. A word on the command line says
 * how.
 *   run: --timeout 20 -- off
 *   status: 126
 *   says: guest crashed: CPU 0 has halted with interrupts off, at 0x[0-9a-f]{8} \(stop\+0x[0-9a-f]+\), and nothing can wake it
 *   says: a kernel that is done returns from its entry function, or writes its exit code to port 0xf4
 *   says: CPU 0 halted with interrupts off at 0x[0-9a-f]{8} \(stop\+0x
 *   prints: begin
 *
 *   run: --timeout 20 -c 3 -- off
 *   status: 126
 *   says: guest crashed: CPU 0 has halted with interrupts off, at .*\(stop\+0x
 *   says: 2 CPUs not started
 *
 *   run: --timeout 20 -c 2 -- both
 *   status: 126
 *   says: guest crashed: all CPUs have halted with interrupts off, CPU 0 at .*\(stop\+0x[0-9a-f]+\), and nothing can wake them
 *   says: CPU 1 halted with interrupts off at .*\(stop\+0x
 *
 *   run: --timeout 2 -- on
 *   status: 124
 *   says: time-out after 2 seconds
 *   says: CPU 0 halted, interrupts on, at 0x[0-9a-f]{8} \(stop\+0x[0-9a-f]+\)
 *   says: nothing can interrupt it: no local APIC's timer runs, and no pin of the IOAPIC reaches a CPU
 *
 *   run: --timeout 2 -c 3 -- on
 *   status: 124
 *   says: nothing can interrupt it: no local APIC's timer runs
 *
 *   run: --max-exits 9 -- loop
 *   status: 124
 *   says: stopped after 9 exits
 *   says: CPU 0 running, interrupts off, at 0x[0-9a-f]{8} \((?:print|main)\+0x
 */
#include "case.h"

static int with_interrupts;

APART __attribute__((noreturn)) static void stop(void)
{
	for (;;)
		if (with_interrupts)
			__asm__ volatile("sti; hlt");
		else
			__asm__ volatile("cli; hlt");
}

static void stop_other(uint32_t argument)
{
	(void)argument;
	stop();
}

static uint8_t other_stack[4096] __attribute__((aligned(16)));

static void start_other(void)
{
	static struct cpu_start start;

	start = (struct cpu_start){.cpu = 1,
		.entry = (uint32_t)stop_other,
		.stack = (uint32_t)(other_stack + sizeof other_stack)};
	__asm__ volatile("outl %0, %1" : : "a"(&start), "Nd"((uint16_t)VOLE_PORT_CPU) : "memory");
}

int main(const struct start_info *info)
{
	const char *how = (const char *)info->cmdline;

	print("begin\n");
	if (how[0] == 'b')
		start_other();
	while (how[0] == 'l')
		print("again\n");
	with_interrupts = how[1] == 'n';
	stop();
}
