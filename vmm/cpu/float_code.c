/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/float_code.h"

#include <string.h>

#include "log.h"

#define CODE_MAX 15 /* bytes of an instruction at most (Intel SDM 2, 2.3.11) */

static bool is_between(uint8_t byte, uint8_t first, uint8_t last)
{
	return byte >= first && byte <= last;
}

/* Intel SDM 2, 2.1.1. REX prefixes, 0x40 to 0x4f, are INC and DEC in 32-bit code, which do not
 * fail: what is looked at here has. */
static bool is_prefix(uint8_t byte)
{
	return memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf2\xf3", byte, 10) ||
	       is_between(byte, 0x40, 0x4f);
}

/* Opcodes behind 0x0f: Intel SDM 2, table A-3. */
static bool is_float_opcode(uint8_t opcode)
{
	return is_between(opcode, 0x10, 0x17) || is_between(opcode, 0x28, 0x2f) ||
	       is_between(opcode, 0x50, 0x7f) || opcode == 0xc2 || is_between(opcode, 0xc4, 0xc6) ||
	       is_between(opcode, 0xd0, 0xfe);
}

bool is_float_code(const uint8_t *code, size_t len)
{
	size_t at = 0;

	while (at < len && is_prefix(code[at]))
		at++;
	if (at < len && code[at] == 0x9b) /* FWAIT, or WAIT before x87 code */
		return true;
	if (len - at < 2)
		return false;
	if (is_between(code[at], 0xd8, 0xdf)) /* x87 */
		return true;
	if (is_between(code[at], 0xc4, 0xc5)) /* VEX; with an operand in memory LES or LDS */
		return code[at + 1] >= 0xc0;
	return code[at] == 0x0f && is_float_opcode(code[at + 1]);
}

void say_float_code(struct cpu *cpu, uint64_t address)
{
	uint8_t code[CODE_MAX];

	if (address != cpu->lacks_at &&
		is_float_code(code, cpu_read_linear(cpu, address, code, sizeof code)))
		say("  it is an instruction of the x87 FPU, MMX, SSE or AVX: compile the kernel "
		    "with -mgeneral-regs-only");
}
