/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at the state in which VOLE_PORT_CPU starts a CPU (spec/boot.md, section 5): CPU 1 with a
 * stack, whose entry function returns, and CPU 2 without one. Needs -c 3. Exit status 0.
 */

#include <stdatomic.h>

#include <vole/ports.h>

#include "check.h"
#include "memory.h"
#include "x86.h"

#define ARGUMENT 0x12345678

struct seen {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
	uint32_t cs, ds, es, fs, gs, ss, cr0, cr4;
	uint32_t eflags, return_address, argument; /* with a stack only */
};

extern struct seen seen;
struct seen seen;

extern atomic_bool arrived;
atomic_bool arrived;

void with_stack(void);
void without_stack(void);

__asm__(".text\n"
	".macro save_registers\n"
	"	movl %eax, seen\n"
	"	movl %ebx, seen + 4\n"
	"	movl %ecx, seen + 8\n"
	"	movl %edx, seen + 12\n"
	"	movl %esi, seen + 16\n"
	"	movl %edi, seen + 20\n"
	"	movl %ebp, seen + 24\n"
	"	movl %esp, seen + 28\n"
	"	movl %cs, %eax\n"
	"	movl %eax, seen + 32\n"
	"	movl %ds, %eax\n"
	"	movl %eax, seen + 36\n"
	"	movl %es, %eax\n"
	"	movl %eax, seen + 40\n"
	"	movl %fs, %eax\n"
	"	movl %eax, seen + 44\n"
	"	movl %gs, %eax\n"
	"	movl %eax, seen + 48\n"
	"	movl %ss, %eax\n"
	"	movl %eax, seen + 52\n"
	"	movl %cr0, %eax\n"
	"	movl %eax, seen + 56\n"
	"	movl %cr4, %eax\n"
	"	movl %eax, seen + 60\n"
	".endm\n"
	"with_stack:\n"
	"	save_registers\n"
	"	pushfl\n"
	"	popl seen + 64\n"
	"	movl (%esp), %eax\n"
	"	movl %eax, seen + 68\n"
	"	movl 4(%esp), %eax\n"
	"	movl %eax, seen + 72\n"
	"	movb $1, arrived\n"
	"	ret\n"
	"without_stack:\n"
	"	save_registers\n"
	"	movb $1, arrived\n"
	"1:	cli\n"
	"	hlt\n"
	"	jmp 1b\n");

/* Start a CPU and wait until it has left its state in seen. */
static void start_cpu(unsigned cpu, void (*entry)(void), uint32_t stack)
{
	struct cpu_start start = {cpu, (uint32_t)entry, stack, ARGUMENT};

	memset(&seen, 0xff, sizeof(seen));
	atomic_store(&arrived, false);
	out32(VOLE_PORT_CPU, (uint32_t)&start);
	check(in32(VOLE_PORT_CPU) == VOLE_CPU_START_OK, "CPU %u starts", cpu);
	while (!atomic_load(&arrived))
		cpu_relax();
}

static void check_registers(unsigned cpu)
{
	check(seen.eax == VOLE_BOOT_MAGIC, "CPU %u: EAX is 0x%x", cpu, seen.eax);
	check(seen.ebx == ARGUMENT, "CPU %u: EBX is 0x%x", cpu, seen.ebx);
	check((seen.ecx | seen.edx | seen.esi | seen.edi | seen.ebp) == 0, "CPU %u: others", cpu);
	check(seen.cs == VOLE_SELECTOR_CODE, "CPU %u: CS is 0x%x", cpu, seen.cs);
	check(seen.ds == VOLE_SELECTOR_DATA && seen.es == VOLE_SELECTOR_DATA &&
			seen.fs == VOLE_SELECTOR_DATA && seen.gs == VOLE_SELECTOR_DATA &&
			seen.ss == VOLE_SELECTOR_DATA,
		"CPU %u: data segments", cpu);
	check(seen.cr0 == 0x11, "CPU %u: CR0 is 0x%x", cpu, seen.cr0);
	check(seen.cr4 == 0, "CPU %u: CR4 is 0x%x", cpu, seen.cr4);
}

int main(const struct start_info *info)
{
	const uint32_t top = (uint32_t)pages_take(1) + PAGE_SIZE;
	/* Not aligned: the frame is, and lies below. */
	const uint32_t stack = top - 10;

	check(info->cpu_count == 3, "3 CPUs, not %u", info->cpu_count);
	start_cpu(1, with_stack, stack);
	check_registers(1);
	check(seen.eflags == 0x2, "CPU 1: EFLAGS is 0x%x", seen.eflags);
	check(seen.esp + 4 == (stack - 4) / 16 * 16, "CPU 1: ESP is 0x%x of 0x%x", seen.esp, stack);
	check(seen.argument == ARGUMENT, "CPU 1: its argument is 0x%x", seen.argument);
	check(seen.return_address < VOLE_BOOT_DATA_END, "CPU 1: it returns to 0x%x",
		seen.return_address);
	check(*(volatile uint16_t *)seen.return_address == 0xf4fa, "CPU 1: which is cli; hlt");

	start_cpu(2, without_stack, 0);
	check_registers(2);
	check(seen.esp == 0, "CPU 2: ESP is 0x%x", seen.esp);
	return check_done();
}
