/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool access_port(
	void *ctx, struct x86_cpu *cpu, uint16_t port, bool is_write, uint32_t *value, unsigned len)
{
	struct x86_code *code = ctx;
	uint64_t wide = *value;
	bool is_ok = true;

	(void)len;
	code->count_seen = x86_count(cpu);
	if (code->access != NULL)
		is_ok = code->access(code, port, is_write, &wide);
	*value = (uint32_t)wide;
	return is_ok;
}

static bool access_mmio(
	void *ctx, struct x86_cpu *cpu, uint64_t gpa, bool is_write, uint64_t *value, unsigned len)
{
	struct x86_code *code = ctx;

	(void)len;
	code->count_seen = x86_count(cpu);
	return code->access != NULL && code->access(code, gpa, is_write, value);
}

static int acknowledge(void *ctx, struct x86_cpu *cpu)
{
	struct x86_code *code = ctx;
	int vector = code->interrupt;

	(void)cpu;
	code->interrupt = -1;
	code->acknowledged += vector >= 0;
	return vector;
}

static uint64_t read_tsc(void *ctx, struct x86_cpu *cpu)
{
	(void)ctx;
	return x86_count(cpu);
}

static bool read_msr(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t *value)
{
	(void)ctx, (void)cpu, (void)msr, (void)value;
	return false;
}

static bool write_msr(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t value)
{
	(void)ctx, (void)cpu, (void)msr, (void)value;
	return false;
}

static const struct x86_bus bus = {
	access_port, access_mmio, acknowledge, read_tsc, read_msr, write_msr};

static void store32(struct x86_code *code, uint32_t address, uint32_t value)
{
	memcpy(code->ram + address, &value, sizeof value);
}

/* Code is selector 8, data selector 16; an interrupt gate for each vector. */
static void make_tables(struct x86_code *code)
{
	store32(code, GDT + 8, 0x0000ffff);
	store32(code, GDT + 12, 0x00cf9b00);
	store32(code, GDT + 16, 0x0000ffff);
	store32(code, GDT + 20, 0x00cf9300);
	code->cpu.gdtr = (struct x86_table){.base = GDT, .limit = 23};
	for (unsigned vector = 0; vector < 64; vector++) {
		uint32_t handler = HANDLERS + 16 * vector;

		store32(code, IDT + 8 * vector, 8u << 16 | handler);
		store32(code, IDT + 8 * vector + 4, 0x8e00);
		code->ram[handler] = 0xf4;
	}
	code->cpu.idtr = (struct x86_table){.base = IDT, .limit = 8 * 64 - 1};
}

static void set_segments(struct x86_code *code, uint32_t data_limit)
{
	for (unsigned number = 0; number < X86_SEGMENTS; number++) {
		bool is_code = number == X86_CS;
		struct x86_segment segment = {
			.selector = is_code ? 8 : 16,
			.rights = is_code ? 0xc09b : 0xc093,
			.limit = is_code ? 0xffffffff : data_limit,
		};

		x86_set_segment(&code->cpu, number, &segment);
	}
}

void x86_code_limit_segments(struct x86_code *code)
{
	set_segments(code, RAM_SIZE - 1);
}

void x86_code_start(struct x86_code *code)
{
	memset(code, 0, sizeof *code);
	code->interrupt = -1;
	code->ram = aligned_alloc(4096, RAM_SIZE);
	if (code->ram == NULL) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	memset(code->ram, 0, RAM_SIZE);
	code->region = (struct gmem_region){.size = RAM_SIZE, .host = code->ram, .writable = true};
	code->gmem = (struct gmem){.regions = &code->region, .count = 1};
	code->system = (struct x86_system){
		.gmem = &code->gmem,
		.bus = &bus,
		.ctx = code,
		.tsc_khz = 1000000,
		.apic_khz = 1000000,
		.cpu_count = 1,
		.cpus = &code->cpu,
	};
	if (x86_cpu_init(&code->cpu, &code->system, 0) != 0)
		printf("Bail out! x86_cpu_init\n");
	code->cpu.cr0 = X86_CR0_PE | X86_CR0_ET;
	set_segments(code, 0xffffffff);
	make_tables(code);
	x86_mode_changed(&code->cpu);
	x86_code_rewind(code);
}

void x86_code_end(struct x86_code *code)
{
	x86_cpu_free(&code->cpu);
	free(code->ram);
}

void x86_code_rewind(struct x86_code *code)
{
	for (unsigned number = 0; number < 8; number++)
		code->cpu.reg[number] = 0x01020304u * (number + 1);
	code->cpu.reg[X86_RSP] = STACK;
	code->cpu.eip = CODE;
	code->cpu.eflags = X86_FLAG_ONE;
	x86_set_eflags(&code->cpu, 0, X86_ARITHMETIC);
	code->cpu.halted = code->cpu.shadow = false;
	code->cpu.instructions = 0;
}

uint32_t x86_code_put(struct x86_code *code, uint32_t address, const char *hex)
{
	unsigned byte;
	int used;

	while (sscanf(hex, "%2x%n", &byte, &used) == 1) {
		code->ram[address++] = (uint8_t)byte;
		hex += used;
	}
	return address;
}

bool x86_code_same(const struct x86_cpu *a, const struct x86_cpu *b)
{
	bool same = a->eip == b->eip && x86_eflags(a) == x86_eflags(b) &&
		    memcmp(a->reg, b->reg, 8 * sizeof a->reg[0]) == 0;

	if (same)
		return true;
	for (unsigned number = 0; number < 8; number++)
		printf("# register %u: %08llx %08llx\n", number, (unsigned long long)a->reg[number],
			(unsigned long long)b->reg[number]);
	printf("# eip: %08llx %08llx eflags: %08x %08x\n", (unsigned long long)a->eip,
		(unsigned long long)b->eip, x86_eflags(a), x86_eflags(b));
	return false;
}

uint32_t x86_code_load(const struct x86_code *code, uint32_t address)
{
	uint32_t value;

	memcpy(&value, code->ram + address, sizeof value);
	return value;
}

void x86_code_page(struct x86_code *code)
{
	const uint32_t directory = 0x4000, table = 0x5000;

	for (uint32_t number = 0; number < 1024; number++) {
		uint32_t entry = number == 0x40 ? 0 : number << 12 | 3;

		memcpy(code->ram + table + 4 * number, &entry, 4);
	}
	memcpy(code->ram + directory, &(uint32_t){table | 3}, 4);
	code->cpu.cr3 = directory;
	code->cpu.cr0 |= X86_CR0_PG | X86_CR0_WP;
	x86_tlb_flush(&code->cpu, false);
	x86_mode_changed(&code->cpu);
}
