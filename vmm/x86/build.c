/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetching the bytes of a block and decoding it. A block does not go over the border of a page, but
 * for its first instruction, which then is the only one. */
#include <errno.h>
#include <string.h>

#include "x86/block.h"
#include "x86/debug.h"
#include "x86/decode.h"

/* x86_charge(): to decode and translate an instruction, and to fetch a byte of it from a device. */
#define COST_DECODE 32
#define COST_FETCH  64

/* Bytes of code that are not in RAM come from the bus, one by one: they are fetched anew each time,
 * since devices do not tell when they change. */
static uint8_t fetch_from_bus(struct x86_cpu *cpu, gpa_t gpa)
{
	uint64_t value = 0;

	x86_charge(cpu, COST_FETCH);
	if (!cpu->system->bus->mmio(cpu->system->ctx, cpu, gpa, false, &value, 1))
		x86_abandon(cpu);
	return (uint8_t)value;
}

static void fetch(struct x86_cpu *cpu, gpa_t gpa, uint8_t *bytes, unsigned count)
{
	if (gmem_read(cpu->system->gmem, gpa, bytes, count) == 0)
		return;
	for (unsigned i = 0; i < count; i++)
		bytes[i] = fetch_from_bus(cpu, gpa + i);
}

/* How many bytes from eip on the limit of CS permits; #GP(0) if there is none. */
static uint64_t bytes_in_limit(const struct x86_cpu *cpu, uint64_t eip)
{
	uint64_t limit = cpu->segment[X86_CS].limit;

	return eip > limit ? 0 : limit - eip + 1;
}

static unsigned minimum(uint64_t a, uint64_t b)
{
	return (unsigned)(a < b ? a : b);
}

/* The first instruction, if the bytes of its page did not suffice: some are on the next page, or
 * behind the limit of CS. */
static void decode_over_border(struct x86_cpu *cpu, struct x86_builder *builder,
	const uint8_t *head, unsigned head_len, struct x86_decoded *decoded)
{
	struct x86_block *block = builder->block;
	uint64_t next_page = (x86_code_linear(cpu, cpu->eip) & X86_PAGE_MASK) + X86_PAGE_SIZE;
	unsigned in_limit = minimum(bytes_in_limit(cpu, cpu->eip), X86_INSN_BYTES);
	uint8_t bytes[X86_INSN_BYTES];

	if (in_limit <= head_len)
		x86_raise_code(cpu, X86_GP, 0);
	/* This may set an accessed bit, of all places in the bytes at head. */
	block->gpa[1] = x86_translate_code(cpu, (uint32_t)next_page);
	memcpy(bytes, head, head_len);
	fetch(cpu, block->gpa[1], bytes + head_len, in_limit - head_len);
	if (x86_decode(bytes, in_limit, block->mode, decoded) != 0)
		x86_raise_code(cpu, X86_GP, 0);
}

/* Decode the next instruction. False: the block ends before it. */
static bool decode_next(struct x86_cpu *cpu, struct x86_builder *builder, const uint8_t *host,
	struct x86_decoded *decoded)
{
	uint64_t done = builder->eip - builder->block->eip;
	unsigned in_page = (unsigned)(builder->block->gpa[0] % X86_PAGE_SIZE + done);
	unsigned available = minimum(X86_PAGE_SIZE - in_page, X86_INSN_BYTES);
	uint8_t bytes[X86_INSN_BYTES];

	available = minimum(available, bytes_in_limit(cpu, builder->eip));
	if (available == 0 && builder->instructions > 0)
		return false;
	if (host == NULL) {
		fetch(cpu, builder->block->gpa[0] + done, bytes, available);
		host = bytes;
	} else {
		host += done;
	}
	if (x86_decode(host, available, builder->block->mode, decoded) == 0)
		return true;
	if (builder->instructions > 0)
		return false;
	decode_over_border(cpu, builder, host, available, decoded);
	builder->ended = true;
	return true;
}

void x86_build_block(
	struct x86_cpu *cpu, struct x86_block *block, gpa_t gpa, unsigned max, bool is_stop)
{
	unsigned in_page = X86_PAGE_SIZE - (unsigned)(gpa % X86_PAGE_SIZE);
	const uint8_t *host = gmem_ptr(cpu->system->gmem, gpa, in_page, GMEM_READ);
	struct x86_builder builder = {
		.block = block,
		.eip = cpu->eip,
		.dead = cpu->cache->dead,
	};

	*block = (struct x86_block){
		.mode = (uint8_t)x86_decode_mode(cpu),
		.cs_limit = cpu->segment[X86_CS].limit,
		.cs_base = (uint32_t)cpu->segment[X86_CS].base,
		.eip = cpu->eip,
		.gpa = {gpa, gpa},
	};
	if (cpu->system->account)
		x86_emit(&builder, &(const struct x86_decoded){.length = 0}, X86_OP_account);
	while (builder.instructions < max && !builder.ended) {
		struct x86_decoded decoded;
		bool is_last;

		if (X86_UNLIKELY(cpu->system->debug != NULL) && builder.instructions > 0 &&
			x86_debug_has(cpu->system, gpa + (builder.eip - block->eip)))
			break;
		x86_charge(cpu, COST_DECODE);
		if (!decode_next(cpu, &builder, host, &decoded))
			break;
		is_last = builder.ended;
		builder.ended = false;
		x86_translate_insn(&builder, &decoded);
		builder.eip += decoded.length;
		if (is_last || host == NULL)
			break;
	}
	block->size = (uint32_t)(builder.eip - block->eip);
	x86_finish_block(&builder, is_stop);
}
