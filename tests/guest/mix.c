/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the snippets of a module that tests/lib/Mix.pm makes, each with registers, flags, segments
 * and paging as its record says, until it raises an exception, and prints how it ended, one line
 * for each:
 *
 *	N v=VECTOR e=ERROR at=CS:EIP ef=EFLAGS r=EAX,ECX,EDX,EBX,ESP,EBP,ESI,EDI
 *	  s=DS,ES,FS,GS,SS t=TR,LDTR c=CR0,CR2 p=FLAGS OF PAGES w=CHANGES x=CHANGES
 *
 * w: the words of the window that it changed, OFFSET:VALUE; x: those of the descriptor tables and
 * TSSs. CR2 is that of a page fault. A line with v=38 is a snippet that did not end. The command
 * line is the number of the first record to run. Exit status 0.
 */

#include "mix.h"
#include "check.h"
#include "console.h"
#include "idt.h"
#include "irq.h"
#include "memory.h"
#include "x86.h"

#define MODE_PAGING        1
#define MODE_WRITE_PROTECT 2

#define CR0_WP        0x10000u
#define CR0_PG        0x80000000u
#define CR4_PSE       0x10u
#define EFLAGS_RF     0x10000u
#define CHANGES_SHOWN 24
#define PAGE_FAULT    14
#define DOUBLE_FAULT  8

/* Registers of the local APIC (Intel SDM 3, table 11-1). */
#define APIC_EOI           0xb0
#define APIC_LVT_TIMER     0x320
#define APIC_INITIAL_COUNT 0x380
#define APIC_DIVIDE        0x3e0
#define APIC_DIVIDE_BY_1   0xb

struct record {
	uint16_t len, start; /* of the code; start is an offset in the code segment */
	uint16_t cs, ss, ds, es, fs, gs;
	uint32_t mode, eflags;
	uint32_t reg[8]; /* as ModRM numbers them */
	uint8_t code[200];
};

_Static_assert(sizeof(struct record) == 256, "as Mix.pm packs it");

/* What mix_enter() pops. */
struct entry {
	uint32_t gs, fs, es, ds, edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t eip, cs, eflags, esp, ss;
};

/* What the processor and the stubs push; esp and ss are there only if the privilege changed. */
struct frame {
	uint32_t gs, fs, es, ds, edi, esi, ebp, esp_inside, ebx, edx, ecx, eax;
	uint32_t vector, error, eip, cs, eflags, esp, ss;
};

static uint8_t window[WINDOW_SIZE] __attribute__((aligned(4096)));
static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t low_table[1024] __attribute__((aligned(4096)));
static struct tables tables __attribute__((aligned(4096)));

/* As they are when a snippet begins, made once and with each snippet. */
static struct tables fresh_tables;
static uint8_t fresh_window[WINDOW_SIZE] __attribute__((aligned(4)));

static uint8_t fault_stack[4096] __attribute__((aligned(16)));
static struct console console;
static char line[8192];
static size_t line_len;
static uint32_t base_cr0;

extern const char mix_stubs[];
extern void mix_fault_task(void);
void mix_enter(const struct entry *entry);

/* Written by the assembly below. */
uint32_t mix_esp, mix_exit_esp, mix_exit_ss;

/*
 * mix_enter() returns when the snippet has ended. The stubs have at most the snippet's own stack,
 * so they leave it as soon as the registers are there; where that stack has no room, a double fault
 * comes, and it is a task with a stack of its own.
 */
__asm__(".text\n"
	".globl mix_enter\n"
	"mix_enter:\n"
	"	pushal\n"
	"	movl %esp, mix_esp\n"
	"	movl 36(%esp), %esp\n"
	"	popl %gs\n"
	"	popl %fs\n"
	"	popl %es\n"
	"	popl %ds\n"
	"	popal\n"
	"	testb $3, %ss:4(%esp)\n" /* IRET takes a stack to an outer ring alone */
	"	jnz 1f\n"
	"	lss 12(%esp), %esp\n"
	"1:	iretl\n"
	".balign 16\n"
	".globl mix_stubs\n"
	"mix_stubs:\n"
	"	vector = 0\n"
	"	.rept 64\n"
	"	.balign 16\n"
	"	.if vector >= 32 || !((0x60227d00 >> vector) & 1)\n" /* as in trap.S */
	"	pushl $0\n"
	"	.endif\n"
	"	pushl $vector\n"
	"	jmp mix_exit\n"
	"	vector = vector + 1\n"
	"	.endr\n"
	"mix_exit:\n"
	"	cli\n"
	"	pushal\n"
	"	pushl %ds\n"
	"	pushl %es\n"
	"	pushl %fs\n"
	"	pushl %gs\n"
	"	movw $0x10, %ax\n"
	"	movw %ax, %ds\n"
	"	movl %esp, mix_exit_esp\n"
	"	movl %ss, %ebx\n"
	"	movl %ebx, mix_exit_ss\n"
	"mix_back:\n"
	"	movw %ax, %es\n"
	"	movw %ax, %ss\n"
	"	movl mix_esp, %esp\n"
	"	pushl $2\n" /* NT, DF and IF are off */
	"	popfl\n"
	"	popal\n"
	"	ret\n"
	".globl mix_fault_task\n"
	"mix_fault_task:\n"
	"	movw $0x10, %ax\n"
	"	movl $0, mix_exit_ss\n"
	"	jmp mix_back\n");

static void append(void *unused, const char *text, size_t len)
{
	(void)unused;
	if (len > sizeof(line) - line_len)
		len = sizeof(line) - line_len;
	memcpy(line + line_len, text, len);
	line_len += len;
}

static void write_cr0(uint32_t value)
{
	__asm__ volatile("movl %0, %%cr0" : : "r"(value) : "memory");
}

static uint32_t read_cr0(void)
{
	uint32_t value;

	__asm__ volatile("movl %%cr0, %0" : "=r"(value));
	return value;
}

static uint32_t window_at(void)
{
	return (uint32_t)window;
}

/* --- what is made once ------------------------------------------------------------------------ */

static void build_segments(uint64_t *table, const struct segment_row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t base = window_at();

		if ((rows[i].attributes & 0x18) == 0x18) /* code */
			base += CODE_AT;
		else if ((rows[i].attributes & 0x1c) == 0x14) /* expand down */
			base += rows[i].attributes & 0x4000 ? 4096 : -0xf000u;
		table[rows[i].selector / 8] =
			segment_descriptor(base, rows[i].limit, rows[i].attributes);
	}
}

static void build_gdt(void)
{
	uint64_t *gdt = fresh_tables.gdt;

	gdt[VOLE_SELECTOR_CODE / 8] = segment_descriptor(0, 0xfffff, 0xc09b);
	gdt[VOLE_SELECTOR_DATA / 8] = segment_descriptor(0, 0xfffff, 0xc093);
	build_segments(gdt, window_segments, sizeof(window_segments) / sizeof(window_segments[0]));
	for (unsigned i = 0; i < sizeof(call_gates) / sizeof(call_gates[0]); i++)
		gdt[call_gates[i].at / 8] = gate_descriptor(call_gates[i].selector,
			call_gates[i].offset, call_gates[i].attributes, call_gates[i].parameters);
	gdt[SELECTOR_TSS / 8] = segment_descriptor((uint32_t)&tables.main, 0x6b, 0x89);
	gdt[SELECTOR_TSS_DF / 8] = segment_descriptor((uint32_t)&tables.double_fault, 0x6b, 0x89);
	gdt[SELECTOR_LDT / 8] =
		segment_descriptor((uint32_t)tables.ldt, sizeof(tables.ldt) - 1, 0x82);
	gdt[SELECTOR_TASK / 8] = segment_descriptor((uint32_t)&tables.task, 0x6b, 0x89);
	gdt[SELECTOR_TASK_16 / 8] = segment_descriptor((uint32_t)&tables.task_16, 0x2b, 0x81);
	gdt[SELECTOR_BUSY / 8] = segment_descriptor((uint32_t)&tables.task, 0x6b, 0x8b);
	gdt[SELECTOR_SMALL / 8] = segment_descriptor((uint32_t)&tables.task, 0x66, 0x89);
	build_segments(
		fresh_tables.ldt, ldt_segments, sizeof(ldt_segments) / sizeof(ldt_segments[0]));
}

static void build_idt(void)
{
	uint64_t *idt = fresh_tables.idt;
	uint32_t stub = (uint32_t)mix_stubs;

	for (unsigned i = 0; i < IDT_ENTRIES; i++)
		idt[i] = gate_descriptor(
			VOLE_SELECTOR_CODE, stub + 16 * i, i == 3 || i == 4 ? 0xee : 0x8e, 0);
	for (unsigned i = 0; i < sizeof(vector_gates) / sizeof(vector_gates[0]); i++) {
		const struct gate_row *row = &vector_gates[i];

		idt[row->at] = gate_descriptor(row->selector,
			row->offset ? row->offset : stub + 16u * row->at, row->attributes, 0);
	}
}

static void build_tasks(void)
{
	struct tss *tss = &fresh_tables.main;
	uint16_t *words = (uint16_t *)&fresh_tables.task_16;

	*tss = (struct tss){.esp0 = 0x3c00,
		.ss0 = SELECTOR_DATA_0,
		.esp1 = 0x3a00,
		.ss1 = 0x129,
		.esp2 = 0x3a00,
		.ss2 = SELECTOR_DATA_0,
		.cr3 = (uint32_t)directory,
		.ldt = SELECTOR_LDT,
		.io_map = 0x68,
		.denied = 0xffffffff};
	fresh_tables.double_fault = fresh_tables.task = *tss;

	tss = &fresh_tables.task;
	tss->eip = CODE_TARGET;
	tss->eflags = 2;
	for (unsigned i = 0; i < 8; i++)
		tss->reg[i] = 0x11111111 * i;
	tss->reg[4] = 0x3800;
	tss->cs = SELECTOR_CODE_3 | 3;
	tss->ss = tss->ds = tss->es = 0x43;

	/* Intel SDM 3, figure 8-10: SP0, SS0 at 2; IP at 14, FLAGS, AX to DI, ES, CS, SS, DS, LDT
	 */
	words[1] = 0x3b00;
	words[2] = SELECTOR_DATA_0;
	words[7] = CODE_TARGET;
	words[8] = 2;
	words[13] = 0x3700;
	words[17] = 0x60 | 3;
	words[18] = 0x58 | 3;
	words[19] = words[20] = 0x60 | 3;
	words[21] = SELECTOR_LDT;

	tss = &fresh_tables.double_fault;
	tss->eip = (uint32_t)mix_fault_task;
	tss->eflags = 2;
	tss->reg[4] = (uint32_t)(fault_stack + sizeof(fault_stack));
	tss->cs = VOLE_SELECTOR_CODE;
	tss->ss = tss->ds = tss->es = VOLE_SELECTOR_DATA;
}

/* All addresses are mapped to themselves, the window as window_page_flags says. */
static void build_pages(void)
{
	for (uint32_t i = 0; i < 1024; i++)
		directory[i] = i << 22 | 0x83; /* 4 MiB, writable */
	directory[0] = (uint32_t)low_table | 7;
	for (uint32_t i = 0; i < 1024; i++)
		low_table[i] = i << 12 | 3;
	__asm__ volatile("movl %%cr4, %%eax; orl %0, %%eax; movl %%eax, %%cr4; movl %1, %%cr3"
			 :
			 : "i"(CR4_PSE), "r"(directory)
			 : "eax", "memory");
}

/* --- a snippet -------------------------------------------------------------------------------- */

/* Words without bit 17: an IRET with one of them as EFLAGS stays out of virtual-8086 mode. */
static void fill_window(const struct record *record)
{
	uint32_t value = 0x12345678, *words = (uint32_t *)fresh_window;

	for (unsigned i = 0; i < WINDOW_SIZE / 4; i++) {
		value = value * 1664525 + 1013904223;
		words[i] = i % 2 ? value >> 20 : value & ~(1u << 17);
	}
	memset(fresh_window + CODE_AT, 0xcc, CODE_SIZE);
	for (unsigned i = 0; i < record->len && record->start + i < CODE_SIZE; i++)
		fresh_window[CODE_AT + record->start + i] = record->code[i];
	memcpy(window, fresh_window, WINDOW_SIZE);
}

static void load_tables(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr = {sizeof(tables.gdt) - 1, (uint32_t)tables.gdt},
				  idtr = {sizeof(tables.idt) - 1, (uint32_t)tables.idt};

	memcpy(&tables, &fresh_tables, sizeof(tables));
	__asm__ volatile("lgdt %0; lidt %1; lldt %w2; ltr %w3"
			 :
			 : "m"(gdtr), "m"(idtr), "r"(SELECTOR_LDT), "r"(SELECTOR_TSS)
			 : "memory");
}

static void set_paging(uint32_t mode)
{
	uint32_t first = window_at() / 4096;

	for (unsigned i = 0; i < WINDOW_PAGES; i++)
		low_table[first + i] = (first + i) << 12 | window_page_flags[i];
	if (mode & MODE_PAGING)
		write_cr0(base_cr0 | CR0_PG | (mode & MODE_WRITE_PROTECT ? CR0_WP : 0));
}

static void enter(const struct record *record)
{
	const uint32_t *reg = record->reg;
	struct entry entry = {.gs = record->gs,
		.fs = record->fs,
		.es = record->es,
		.ds = record->ds,
		.edi = reg[7],
		.esi = reg[6],
		.ebp = reg[5],
		.ebx = reg[3],
		.edx = reg[2],
		.ecx = reg[1],
		.eax = reg[0],
		.eip = record->start,
		.cs = record->cs,
		.eflags = record->eflags,
		.esp = reg[4],
		.ss = record->ss};

	if (!(record->cs & 3)) {
		entry.esp -= 12;
		memcpy(window + entry.esp, &entry.eip, 12);
		memcpy(fresh_window + entry.esp, &entry.eip, 12);
	}
	mix_enter(&entry);
}

/* --- how it ended ----------------------------------------------------------------------------- */

static uint64_t descriptor_of(uint32_t selector)
{
	unsigned index = (selector & 0xffff) / 8;

	if (selector & 4)
		return index < LDT_ENTRIES ? tables.ldt[index] : 0;
	return index < GDT_ENTRIES ? tables.gdt[index] : 0;
}

/* Where the frame is, and take it out of the window. Whether a fault's EFLAGS have RF (Intel SDM 3,
 * 18.3.1.1) is the one thing that the processor of tests/lane gets wrong in every frame. */
static struct frame take_frame(void)
{
	uint64_t stack = descriptor_of(mix_exit_ss);
	uint32_t esp = stack >> 54 & 1 ? mix_exit_esp : mix_exit_esp & 0xffff;
	uint32_t at = descriptor_base(stack) + esp;
	struct frame frame;
	size_t len = sizeof(frame);

	memcpy(&frame, (void *)at, sizeof(frame));
	frame.eflags &= ~EFLAGS_RF;
	if (!(frame.cs & 3)) {
		len -= 8;
		frame.esp = frame.esp_inside + 20; /* what was pushed from the error code on */
		frame.ss = mix_exit_ss;
	}
	if (at - window_at() < WINDOW_SIZE - len)
		memcpy((void *)at, fresh_window + (at - window_at()), len);
	return frame;
}

/* After a double fault the registers are in the TSS. */
static struct frame take_task(void)
{
	struct frame frame = {.vector = DOUBLE_FAULT};

	tables.main.eflags &= ~EFLAGS_RF;
	tables.task.eflags &= ~EFLAGS_RF;
	memset(&tables.double_fault, 0, sizeof(struct tss));
	memcpy(&tables.double_fault, &fresh_tables.double_fault, sizeof(struct tss));
	return frame;
}

/* The first changes as they are, and a sum of all (FNV-1a) if there are more. */
static void print_changes(char name, const void *now, const void *fresh, size_t size)
{
	const uint32_t *a = now, *b = fresh;
	uint32_t count = 0, sum = 2166136261u;

	printf(" %c=", name);
	for (size_t i = 0; i < size / 4; i++) {
		if (a[i] == b[i])
			continue;
		if (count++ < CHANGES_SHOWN)
			printf("%x:%x,", (unsigned)(4 * i), a[i]);
		sum = ((sum ^ i) * 16777619u ^ a[i]) * 16777619u;
	}
	if (count > CHANGES_SHOWN)
		printf("%u:%x", count, sum);
}

static void print_selectors(const struct frame *frame)
{
	uint32_t tr, ldtr;

	__asm__ volatile("str %0; sldt %1" : "=r"(tr), "=r"(ldtr));
	printf(" s=%x,%x,%x,%x,%x t=%x,%x", frame->ds & 0xffff, frame->es & 0xffff,
		frame->fs & 0xffff, frame->gs & 0xffff, frame->ss & 0xffff, tr & 0xffff,
		ldtr & 0xffff);
}

static void print_end(
	unsigned number, uint32_t mode, const struct frame *frame, uint32_t cr0, uint32_t cr2)
{
	printf("%u v=%x e=%x at=%x:%x ef=%x r=%x,%x,%x,%x,%x,%x,%x,%x", number, frame->vector,
		frame->error, frame->cs & 0xffff, frame->eip, frame->eflags, frame->eax, frame->ecx,
		frame->edx, frame->ebx, frame->esp, frame->ebp, frame->esi, frame->edi);
	print_selectors(frame);
	printf(" c=%x,%x p=", cr0, frame->vector == PAGE_FAULT ? cr2 - window_at() : 0);
	for (unsigned i = 0; mode & MODE_PAGING && i < WINDOW_PAGES; i++)
		printf("%x,", low_table[window_at() / 4096 + i] & 0xfff);
	print_changes('w', window, fresh_window, WINDOW_SIZE);
	print_changes('x', &tables, &fresh_tables, sizeof(tables));
	printf("\n");
}

static void run(unsigned number, const struct record *record, uint32_t timer_count)
{
	struct frame frame;
	uint32_t cr0, cr2;

	fill_window(record);
	interrupts_off();
	load_tables();
	set_paging(record->mode);
	apic_write(APIC_INITIAL_COUNT, timer_count);
	mix_exit_ss = 0;
	enter(record);
	cr0 = read_cr0();
	cr2 = read_cr2();
	write_cr0(base_cr0);
	apic_write(APIC_INITIAL_COUNT, 0);
	frame = mix_exit_ss ? take_frame() : take_task();
	if (frame.vector == TIMER_VECTOR)
		apic_write(APIC_EOI, 0);
	print_end(number, record->mode, &frame, cr0, cr2);
	idt_load();
	interrupts_on();
	console_write(&console, line, line_len);
	line_len = 0;
}

int main(const struct start_info *info)
{
	const struct module_entry *module = info_modules(info);
	const struct record *records = (const struct record *)module->base;

	if (!info->module_count) {
		printf("mix takes a module with snippets\n");
		return 1;
	}
	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	base_cr0 = read_cr0();
	build_gdt();
	build_idt();
	build_tasks();
	build_pages();
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	printf_to(append, NULL);
	for (uint32_t i = cmdline_number(info, 0); i < module->size / sizeof(*records); i++)
		run(i, &records[i], info->apic_timer_khz * 2000);
	return 0;
}
