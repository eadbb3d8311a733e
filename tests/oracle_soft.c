/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software CPU's side of the oracle: 32-bit user code with paging. Its exceptions go through
 * interrupt gates to a HLT each at CPL 0, and what they pushed is the result (Intel SDM 3, 6.12).
 */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include "x86/walk.h"
#include "x86/watch.h"
#include "x86/x86.h"

/* Guest-physical memory. */
#define DIRECTORY  0x1000u
#define TABLE      0x2000u
#define TABLES     0x3000u /* what the processor itself uses, see below */
#define CODE       0x4000u
#define DATA       0x6000u
#define CONSTANT   (DATA + ORACLE_DATA_SIZE)
#define MEMORY_END (CONSTANT + ORACLE_PAGE)

/* A page for the supervisor, by offset: its linear address is this. */
#define SYSTEM       0x1037b000u
#define GDT_OFFSET   0x000u
#define IDT_OFFSET   0x100u
#define TSS_OFFSET   0x300u
#define HLT_OFFSET   0x400u /* one byte for each vector */
#define STACK_OFFSET 0x800u /* the first byte above the stack */

#define VECTORS     32
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE   0x1b
#define USER_DATA   0x23
#define TSS         0x28

/* More than any case takes that ends. */
#define BUDGET 20000

struct oracle_soft {
	struct x86_system system;
	struct gmem gmem;
	struct gmem_region region;
	struct x86_cpu cpu;
	uint8_t *ram;
	bool is_code_data; /* in this run */
};

static void code_accessed(void *ctx, struct x86_cpu *cpu, const struct x86_seen *access)
{
	struct oracle_soft *soft = ctx;

	(void)cpu, (void)access;
	soft->is_code_data = true;
}

static bool no_port(
	void *ctx, struct x86_cpu *cpu, uint16_t port, bool is_write, uint32_t *value, unsigned len)
{
	(void)ctx, (void)cpu, (void)port, (void)is_write, (void)value, (void)len;
	return false;
}

static bool no_mmio(
	void *ctx, struct x86_cpu *cpu, uint64_t gpa, bool is_write, uint64_t *value, unsigned len)
{
	(void)ctx, (void)cpu, (void)gpa, (void)is_write, (void)value, (void)len;
	return false;
}

static int no_interrupt(void *ctx, struct x86_cpu *cpu)
{
	(void)ctx, (void)cpu;
	return -1;
}

static uint64_t no_time(void *ctx, struct x86_cpu *cpu)
{
	(void)ctx, (void)cpu;
	return 0;
}

static bool no_msr_read(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t *value)
{
	(void)ctx, (void)cpu, (void)msr, (void)value;
	return false;
}

static bool no_msr_write(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t value)
{
	(void)ctx, (void)cpu, (void)msr, (void)value;
	return false;
}

static const struct x86_bus bus = {
	.port = no_port,
	.mmio = no_mmio,
	.acknowledge = no_interrupt,
	.tsc = no_time,
	.read_msr = no_msr_read,
	.write_msr = no_msr_write,
};

static void put32(struct oracle_soft *soft, uint32_t at, uint32_t value)
{
	memcpy(soft->ram + at, &value, sizeof value);
}

static uint32_t get32(const struct oracle_soft *soft, uint32_t at)
{
	uint32_t value;

	memcpy(&value, soft->ram + at, sizeof value);
	return value;
}

/* SDM 3, 4.3: 4 KiB pages. */
static void map(struct oracle_soft *soft, uint32_t linear, uint32_t gpa, uint32_t rights)
{
	put32(soft, TABLE + (linear >> 12 & 0x3ff) * 4, gpa | rights);
}

static void make_page_tables(struct oracle_soft *soft)
{
	const uint32_t present = 1, write = 2, user = 4;

	put32(soft, DIRECTORY + (ORACLE_CODE >> 22) * 4, TABLE | present | write | user);
	map(soft, ORACLE_CODE, CODE, present | write | user);
	map(soft, SYSTEM, TABLES, present | write);
	for (uint32_t at = 0; at < ORACLE_DATA_SIZE; at += ORACLE_PAGE)
		map(soft, ORACLE_DATA + at, DATA + at, present | write | user);
	map(soft, ORACLE_CONSTANT, CONSTANT, present | user);
	memset(soft->ram + CONSTANT, ORACLE_FILL, ORACLE_PAGE);
}

/* GDT, IDT and TSS (SDM 3, 3.4.5, 6.11, 7.2.1). */
static void make_tables(struct oracle_soft *soft)
{
	static const uint32_t high[] = {0, 0xcf9b00, 0xcf9300, 0xcffb00, 0xcff300};

	for (uint32_t i = 1; i < sizeof high / sizeof *high; i++) {
		put32(soft, TABLES + GDT_OFFSET + i * 8, 0xffff);
		put32(soft, TABLES + GDT_OFFSET + i * 8 + 4, high[i]);
	}
	for (uint32_t i = 0; i < VECTORS; i++) {
		uint32_t handler = SYSTEM + HLT_OFFSET + i;

		put32(soft, TABLES + IDT_OFFSET + i * 8, KERNEL_CODE << 16 | (handler & 0xffff));
		put32(soft, TABLES + IDT_OFFSET + i * 8 + 4, (handler & 0xffff0000) | 0x8e00);
	}
	put32(soft, TABLES + TSS_OFFSET + 4, SYSTEM + STACK_OFFSET);
	put32(soft, TABLES + TSS_OFFSET + 8, KERNEL_DATA);
	/* No I/O permission bit map: its base is beyond the segment's limit (SDM 1, 19.5.2). */
	put32(soft, TABLES + TSS_OFFSET + 0x64, 0x68u << 16);
	memset(soft->ram + TABLES + HLT_OFFSET, 0xf4, VECTORS);
}

/* The state that a kernel would have made before it entered user mode. */
static void make_state(struct x86_cpu *cpu)
{
	const struct x86_segment user_data = {USER_DATA, 0xc0f3, 0xffffffff, 0};
	const struct x86_segment user_code = {USER_CODE, 0xc0fb, 0xffffffff, 0};

	for (unsigned i = 0; i < X86_SEGMENTS; i++)
		x86_set_segment(cpu, i, i == X86_CS ? &user_code : &user_data);
	cpu->tr = (struct x86_segment){TSS, 0x008b, 0x67, SYSTEM + TSS_OFFSET};
	cpu->ldtr = (struct x86_segment){0};
	cpu->gdtr = (struct x86_table){SYSTEM + GDT_OFFSET, 0x2f};
	cpu->idtr = (struct x86_table){SYSTEM + IDT_OFFSET, VECTORS * 8 - 1};
	cpu->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG;
	cpu->cr3 = DIRECTORY;
	cpu->cr4 = 0;
	x86_set_cpl(cpu, 3);
	cpu->halted = false;
	x86_tlb_flush(cpu, false);
	x86_mode_changed(cpu);
}

void oracle_soft_free(struct oracle_soft *soft)
{
	if (!soft)
		return;
	x86_cpu_free(&soft->cpu);
	x86_watch_free(&soft->system);
	free(soft->ram);
	free(soft);
}

struct oracle_soft *oracle_soft_new(void)
{
	struct oracle_soft *soft = calloc(1, sizeof *soft);

	if (!soft)
		return NULL;
	soft->ram = aligned_alloc(ORACLE_PAGE, MEMORY_END);
	if (!soft->ram) {
		free(soft);
		return NULL;
	}
	memset(soft->ram, 0, MEMORY_END);
	soft->region = (struct gmem_region){0, MEMORY_END, soft->ram, true};
	soft->gmem = (struct gmem){.regions = &soft->region, .count = 1};
	soft->system = (struct x86_system){
		.gmem = &soft->gmem, .bus = &bus, .ctx = soft, .cpu_count = 1, .cpus = &soft->cpu};
	if (x86_cpu_init(&soft->cpu, &soft->system, 0) != 0 ||
		x86_watch(&soft->system, CODE, ORACLE_PAGE, code_accessed, soft) != 0) {
		oracle_soft_free(soft);
		return NULL;
	}
	make_page_tables(soft);
	make_tables(soft);
	return soft;
}

/* Takes what the gate pushed: an error code for some, EIP, CS, EFLAGS, ESP, SS (SDM 3, figure
 * 6-4). */
static void take_frame(struct oracle_soft *soft, struct oracle_result *result)
{
	uint32_t esp = (uint32_t)soft->cpu.reg[X86_RSP] - SYSTEM + TABLES;

	for (unsigned i = 0; i < 8; i++)
		result->state.reg[i] = (uint32_t)soft->cpu.reg[i];
	/* HLT has been executed, so EIP is behind it. */
	result->vector = (uint32_t)soft->cpu.next_eip - 1 - SYSTEM - HLT_OFFSET;
	if (result->vector >= VECTORS || esp < TABLES || esp > TABLES + STACK_OFFSET - 20) {
		result->vector = ORACLE_LOST;
		return;
	}
	result->error = 0;
	if (esp == TABLES + STACK_OFFSET - 24) {
		result->error = get32(soft, esp);
		esp += 4;
	}
	result->eip = get32(soft, esp);
	result->state.eflags = get32(soft, esp + 8);
	result->state.reg[X86_RSP] = get32(soft, esp + 12);
	result->cr2 = (uint32_t)soft->cpu.cr2;
	/* The page of the system's tables is there for it alone; the host's process has none. */
	if (result->vector == X86_PF_FAULT && result->cr2 / ORACLE_PAGE == SYSTEM / ORACLE_PAGE)
		result->error &= ~X86_PF_PRESENT;
}

void oracle_soft_run(
	struct oracle_soft *soft, const struct oracle_case *test, struct oracle_result *result)
{
	struct x86_cpu *cpu = &soft->cpu;
	enum x86_stop stop;

	memset(soft->ram + CODE, 0xf4, ORACLE_PAGE);
	memcpy(soft->ram + CODE, test->soft, test->soft_len);
	memcpy(soft->ram + DATA, test->data, ORACLE_DATA_SIZE);
	x86_memory_written(&soft->system, CODE, DATA + ORACLE_DATA_SIZE - CODE);
	make_state(cpu);
	for (unsigned i = 0; i < 8; i++)
		cpu->reg[i] = test->start.reg[i];
	x86_set_eflags(cpu, test->start.eflags, ~X86_FLAG_ONE);
	cpu->eip = cpu->next_eip = ORACLE_CODE;
	soft->is_code_data = false;
	stop = x86_run(cpu, BUDGET);
	result->is_code_data = soft->is_code_data;
	if (stop == X86_STOP_HALTED)
		take_frame(soft, result);
	else
		result->vector = stop == X86_STOP_BUDGET ? ORACLE_NO_END : ORACLE_LOST;
	memcpy(result->data, soft->ram + DATA, ORACLE_DATA_SIZE);
}
