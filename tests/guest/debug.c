/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger is tried on: its functions and variables are places for breakpoints and
 * watchpoints. The command line says what it does, by number; the exit status is 7.
 */

#include <vole/ports.h>

#include "check.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "rng.h"
#include "timer.h"
#include "x86.h"

enum { INSTRUCTIONS, SPIN, HALT, CRASH, DIVIDE, CPUS, DMA, TICKS, WRITES };

#define STATUS 7

/* A function that a breakpoint can be set on. */
#ifdef __clang__
#define PLACE __attribute__((noinline))
#else
#define PLACE __attribute__((noinline, noclone))
#endif

#define LINE "debug\n"

/* Each label is an instruction that a step has to get over as a whole. */
void instructions(void);
extern const char before_port[], before_string[], before_push[], before_return[];
__asm__(".text\n"
	".globl instructions, before_port, before_string, before_push, before_return\n"
	"instructions:\n"
	"	movl $0xe9, %edx\n"
	"	movb $'!', %al\n"
	"before_port:\n"
	"	outb %al, %dx\n"
	"	pushl %esi\n"
	"	pushl %edi\n"
	"	movl $copied_from, %esi\n"
	"	movl $copied_to, %edi\n"
	"	movl $16, %ecx\n"
	"	cld\n"
	"before_string:\n"
	"	rep movsb\n"
	"	popl %edi\n"
	"	popl %esi\n"
	"before_push:\n"
	"	pushfl\n"
	"	addl $4, %esp\n"
	"before_return:\n"
	"	ret\n");

const char copied_from[16] = "sixteen bytes...";
char copied_to[16];

volatile uint32_t spins, ticks, written, counts[8];
uint8_t random_bytes[64];
static struct rng rng;

static PLACE void spin(void)
{
	for (;;)
		spins++;
}

static PLACE void tick(void *ctx)
{
	(void)ctx;
	ticks++;
}

static PLACE void halt(void)
{
	for (;;)
		irq_wait();
}

static PLACE void crash(void)
{
	volatile uint32_t *volatile nowhere = (uint32_t *)0x10;

	*nowhere = 1;
}

/* A compiler may leave out a division by zero that it sees, so this one is written in assembler. */
static PLACE void divide(uint32_t by)
{
	uint32_t quotient = 100, remainder = 0;

	asm volatile("divl %2" : "+a"(quotient), "+d"(remainder) : "rm"(by));
}

static PLACE void work(void *ctx)
{
	counts[(unsigned)ctx]++;
	while (counts[0] == 0)
		counts[(unsigned)ctx]++;
}

static void run_cpus(void)
{
	for (unsigned i = 1; i < cpu_count(); i++)
		cpu_run(i, work, (void *)i);
	for (unsigned i = 1; i < cpu_count(); i++)
		while (counts[i] < 1000)
			cpu_relax();
	counts[0] = 1;
}

static PLACE void write_it(uint32_t value)
{
	written = value;
}

/* written is read beside the writes, and its neighbour is written. */
static void run_writes(void)
{
	for (uint32_t i = 1; i <= 3; i++) {
		ticks += written;
		write_it(i);
		spins++;
	}
}

static void run_dma(const struct start_info *info)
{
	if (rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)) == 0)
		rng_read(&rng, random_bytes, sizeof(random_bytes));
}

static void run_ticks(void)
{
	timer_start(100, true, tick, NULL);
	while (ticks < 3)
		irq_wait();
	timer_stop();
}

int main(const struct start_info *info)
{
	out8_string(VOLE_PORT_DEBUG, LINE, sizeof(LINE) - 1);
	switch (cmdline_number(info, INSTRUCTIONS)) {
	case INSTRUCTIONS:
		instructions();
		break;
	case SPIN:
		spin();
		break;
	case HALT:
		halt();
		break;
	case CRASH:
		crash();
		break;
	case DIVIDE:
		divide(0);
		break;
	case CPUS:
		run_cpus();
		break;
	case DMA:
		run_dma(info);
		break;
	case TICKS:
		run_ticks();
		break;
	case WRITES:
		run_writes();
		break;
	}
	return STATUS;
}
