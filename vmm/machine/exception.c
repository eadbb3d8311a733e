/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/exception.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpu/crash.h"
#include "cpu/fault.h"
#include "cpu/register_bits.h"
#include "machine/interrupt_source.h"

#define OUT_LENGTH 2 /* of the instruction at the start of a stub */

/* Exceptions that push an error code, as bits: 8, 10 to 14, 17, 21 (Intel SDM 3, table 6-1), 29, 30
 * (AMD manual 2, 8.2). */
#define HAVE_ERROR_CODE 0x60227d00u

#define VECTOR_PAGE_FAULT 14

#define EFLAGS_ZERO 0x8028 /* bits 3, 5 and 15, which selectors of user mode have set, mostly */

/* What a 32-bit gate pushes (Intel SDM 3, 6.12.1), without an error code. */
enum { FRAME_EIP, FRAME_CS, FRAME_EFLAGS, FRAME_ESP, FRAME_SS, FRAME_WORDS };

/* Opcodes of the instructions that call for an interrupt (Intel SDM 2, INT n). */
#define OPCODE_INT1 0xf1
#define OPCODE_INT3 0xcc
#define OPCODE_INT  0xcd
#define OPCODE_INTO 0xce

/* Returns the vector of the stub that writes the port, or -1 if it is none. KVM leaves the position
 * at the instruction or behind it. */
static int stub_vector(struct cpu *cpu)
{
	const struct vm *vm = cpu->ctx;
	uint64_t offset = cpu->ops->position(cpu) - vm->boot->exception_stubs;

	if (vm->boot->exception_stubs == 0)
		return -1;
	if (offset >= IDT_VECTORS * IDT_STUB_SIZE || offset % IDT_STUB_SIZE > OUT_LENGTH)
		return -1;
	return (int)(offset / IDT_STUB_SIZE);
}

/*
 * Returns whether an error code lies on the stack, below the frame. The vector tells it, but for an
 * interrupt, from a device or by INT n, with the vector of an exception: that pushes none. Then the
 * words are those of a frame: a selector where EIP would be, below any memory.
 */
static bool has_error_code(unsigned vector, const uint32_t *words)
{
	bool is_frame = words[FRAME_CS] < BOOT_DATA &&
			(words[FRAME_EFLAGS] & (X86_FLAG_ONE | EFLAGS_ZERO)) == X86_FLAG_ONE;

	return vector < FAULT_FIRST_INTERRUPT && HAVE_ERROR_CODE >> vector & 1 && !is_frame;
}

/* Returns the length of the instruction before a linear address if it calls for this interrupt, and
 * 0 if another does. */
static unsigned software_interrupt_length(struct cpu *cpu, uint64_t next, unsigned vector)
{
	uint8_t code[2];

	if (cpu_read_linear(cpu, next - 2, code, 2) == 2 && code[0] == OPCODE_INT &&
		code[1] == vector)
		return 2;
	if (cpu_read_linear(cpu, next - 1, code, 1) == 1 &&
		((vector == 1 && code[0] == OPCODE_INT1) ||
			(vector == 3 && code[0] == OPCODE_INT3) ||
			(vector == 4 && code[0] == OPCODE_INTO)))
		return 1;
	return 0;
}

/* Sets the registers to what they were before the frame was pushed. frame_at is the address behind
 * the error code, within SS. */
static void undo_delivery(struct cpu_registers *r, const uint32_t *frame, uint64_t frame_at)
{
	bool is_inner = X86_RPL(frame[FRAME_CS]) != X86_RPL(r->cs.selector);

	if (is_inner) {
		r->general[CPU_RSP] = frame[FRAME_ESP];
		r->ss.selector = (uint16_t)frame[FRAME_SS];
	} else {
		r->general[CPU_RSP] = (uint32_t)(frame_at + 4 * FRAME_ESP);
	}
	r->rip = frame[FRAME_EIP];
	r->cs.selector = (uint16_t)frame[FRAME_CS];
	r->rflags = frame[FRAME_EFLAGS];
}

/* Reads the exception from the CPU's registers and the words on its stack, error code first. */
static struct cpu_fault take_fault(
	struct cpu *cpu, struct cpu_registers *r, unsigned vector, const uint32_t *words)
{
	const struct vm *vm = cpu->ctx;
	struct cpu_fault fault = {
		.vector = vector,
		.has_error = has_error_code(vector, words),
		.is_at_entry = r->idt.base == vm->boot->state.idt_base,
		.cr2 = vector == VECTOR_PAGE_FAULT ? r->cr2 : 0,
	};
	unsigned length;

	if (fault.has_error)
		fault.error = words[0];
	undo_delivery(r, words + fault.has_error, r->general[CPU_RSP] + 4 * fault.has_error);
	length = fault.has_error ? 0 : software_interrupt_length(cpu, r->cs.base + r->rip, vector);
	r->rip -= length;
	fault.by_instruction = length > 0;
	fault.rip = r->cs.base + r->rip;
	return fault;
}

/* Reads the exception of a CPU in real mode, where an interrupt pushes IP, CS and FLAGS, 16 bits
 * each (Intel SDM 3, 21.1.4). */
static struct cpu_fault take_real_fault(struct cpu *cpu, struct cpu_registers *r, unsigned vector)
{
	struct cpu_fault fault = {.vector = vector, .is_real_mode = true};
	uint16_t sp = (uint16_t)r->general[CPU_RSP], frame[3] = {0};
	unsigned length;

	cpu_read_linear(cpu, r->ss.base + sp, frame, sizeof frame);
	r->general[CPU_RSP] = (uint16_t)(sp + sizeof frame);
	r->cs.selector = frame[1];
	r->cs.base = 16u * frame[1];
	r->rflags = frame[2];
	length = software_interrupt_length(cpu, r->cs.base + frame[0], vector);
	r->rip = (uint16_t)(frame[0] - length);
	fault.by_instruction = length > 0;
	fault.rip = r->cs.base + r->rip;
	return fault;
}

int exception_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	int vector = stub_vector(cpu);
	uint32_t words[1 + FRAME_WORDS] = {0};
	struct cpu_registers registers;
	struct cpu_fault fault;
	char source[96];

	(void)port;
	(void)data;
	if (vector < 0 || !is_write || len != 1 || cpu->ops->registers(cpu, &registers) < 0)
		return -ENXIO;
	if (!(registers.cr0 & X86_CR0_PE)) {
		fault = take_real_fault(cpu, &registers, (unsigned)vector);
		crash_exception(cpu, &fault, &registers);
		return 0;
	}
	/* A stack may end behind the frame. */
	len = cpu_read_linear(
		cpu, registers.ss.base + registers.general[CPU_RSP], words, sizeof words);
	if (len < FRAME_ESP * sizeof *words) {
		fault = (struct cpu_fault){.vector = (unsigned)vector, .is_frame_lost = true};
		crash_exception(cpu, &fault, &registers);
		return 0;
	}
	fault = take_fault(cpu, &registers, (unsigned)vector, words);
	if (!fault.by_instruction && vector >= FAULT_FIRST_INTERRUPT &&
		interrupt_source(cpu, (unsigned)vector, source, sizeof source))
		fault.source = source;
	crash_exception(cpu, &fault, &registers);
	return 0;
}
