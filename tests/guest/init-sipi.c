/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts CPU 1 the way real machines do it: INIT and start-up interrupts of the local APIC, and a
 * piece of real-mode code below 1 MiB that goes into protected mode by itself (Intel SDM 3, 9.4.4).
 * So all others too; then they try, at the same moment, to start each other by VOLE_PORT_CPU, which
 * is to say that they run. Prints "CPU n is here" for each. Exit status 0.
 */

#include <stdatomic.h>

#include <vole/ports.h>

#include "check.h"
#include "cpu.h"
#include "irq.h"
#include "memory.h"
#include "timer.h"
#include "x86.h"

/* Interrupt command register (Intel SDM 3, 11.6.1). */
#define APIC_ICR_LOW  0x300
#define APIC_ICR_HIGH 0x310
#define ICR_INIT      0x4500
#define ICR_STARTUP   0x4600
#define ICR_PENDING   0x1000

#define TRIES 10000 /* without an answer, two CPUs met in one of some thousand */

#define PAGE 0x9000 /* where the code goes: free, and below 1 MiB */

extern const uint8_t trampoline[], trampoline_end[];

/* Runs at PAGE: CS is PAGE / 16, IP is 0. Linked elsewhere, so it names no address of its own but
 * by distance. */
__asm__(".section .rodata\n"
	".code16\n"
	"trampoline:\n"
	"	cli\n"
	"	movw %cs, %ax\n"
	"	movw %ax, %ds\n"
	"	lgdtl gdt_register - trampoline\n"
	"	movl %cr0, %eax\n"
	"	orl $1, %eax\n"
	"	movl %eax, %cr0\n"
	"	ljmpl $8, $protected\n"
	".balign 8\n"
	"gdt:	.quad 0\n"
	"	.quad 0x00cf9b000000ffff\n" /* code and data, flat */
	"	.quad 0x00cf93000000ffff\n"
	"gdt_register:\n"
	"	.word . - gdt - 1\n"
	"	.long 0x9000 + gdt - trampoline\n"
	"trampoline_end:\n"
	".code32\n"
	".text\n"
	"protected:\n"
	"	movl $16, %eax\n"
	"	movl %eax, %ds\n"
	"	movl %eax, %es\n"
	"	movl %eax, %ss\n"
	"	movl cpu_stack, %esp\n"
	"	call second_main\n"
	"1:	cli\n"
	"	hlt\n"
	"	jmp 1b\n");

extern uint8_t *cpu_stack;
uint8_t *cpu_stack;

void second_main(void);

static atomic_uint here, finished;

void second_main(void)
{
	unsigned cpu = irq_this_cpu();
	struct cpu_start start = {.cpu = cpu + 1 < cpu_count() ? cpu + 1 : 1};

	printf("CPU %u is here\n", cpu);
	atomic_fetch_add(&here, 1);
	while (atomic_load(&here) < cpu_count() - 1)
		cpu_relax();
	for (unsigned i = 0; i < TRIES; i++) {
		out32(VOLE_PORT_CPU, (uint32_t)&start);
		check(in32(VOLE_PORT_CPU) == VOLE_CPU_START_RUNNING, "CPU %u is running",
			start.cpu);
	}
	atomic_fetch_add(&finished, 1);
}

static void send(unsigned cpu, uint32_t command)
{
	apic_write(APIC_ICR_HIGH, cpu << 24);
	apic_write(APIC_ICR_LOW, command);
	while (apic_read(APIC_ICR_LOW) & ICR_PENDING)
		cpu_relax();
}

/* The usual way: INIT, 10 ms, start-up, and once more if the CPU needs it. */
static void start_cpu(unsigned cpu)
{
	cpu_stack = (uint8_t *)pages_take(1) + PAGE_SIZE;
	send(cpu, ICR_INIT);
	timer_delay(10000);
	send(cpu, ICR_STARTUP | PAGE / PAGE_SIZE);
	timer_delay(200);
	send(cpu, ICR_STARTUP | PAGE / PAGE_SIZE);
	while (atomic_load(&here) < cpu)
		cpu_relax();
}

int main(const struct start_info *info)
{
	(void)info;
	memcpy((void *)PAGE, trampoline, (size_t)(trampoline_end - trampoline));
	for (unsigned cpu = 1; cpu < cpu_count(); cpu++)
		start_cpu(cpu);
	while (atomic_load(&finished) < cpu_count() - 1)
		cpu_relax();
	return check_done();
}
