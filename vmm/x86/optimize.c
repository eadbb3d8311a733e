/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of decoding: what can be told only when all of a block is there. */
#include "x86/decode.h"

#include <string.h>

/* What X86_FLAGLESS pairs, in both directions. 0: an operation that has no form without flags. */
#define FLAGLESS_OF(of, full, flagless) [X86_OP_##full] = X86_OP_##flagless,
static const uint16_t without_flags[X86_OP_COUNT] = {X86_FLAGLESS(FLAGLESS_OF, )};

#define FULL_OF(of, full, flagless) [X86_OP_##flagless - X86_OP_add_rr_nf] = X86_OP_##full,
static const uint16_t with_flags[] = {X86_FLAGLESS(FULL_OF, )};

/* Both of a family's forms with registers alone, in all sizes. */
#define REGISTER_FORMS(name, value)                                       \
	[X86_OP_##name##_rr_32] = value, [X86_OP_##name##_ri_32] = value, \
	[X86_OP_##name##_rr_16] = value, [X86_OP_##name##_ri_16] = value, \
	[X86_OP_##name##_rr_8] = value, [X86_OP_##name##_ri_8] = value
#define THREE_SIZES(name, value) \
	[X86_OP_##name##_32] = value, [X86_OP_##name##_16] = value, [X86_OP_##name##_8] = value

/* What an operation is to flags that were set before it. Whatever is not listed may look at them,
 * or show them to others by a fault or an exit. */
enum flag_effect {
	FLAGS_LIVE,      /* they must be there */
	FLAGS_OVERWRITE, /* it sets all six without looking, and cannot fault */
	FLAGS_IGNORE,    /* it has nothing to do with flags, and cannot fault */
};
static const uint8_t flag_effects[X86_OP_COUNT] = {
	REGISTER_FORMS(add, FLAGS_OVERWRITE),
	REGISTER_FORMS(or, FLAGS_OVERWRITE),
	REGISTER_FORMS(and, FLAGS_OVERWRITE),
	REGISTER_FORMS(sub, FLAGS_OVERWRITE),
	REGISTER_FORMS(xor, FLAGS_OVERWRITE),
	REGISTER_FORMS(cmp, FLAGS_OVERWRITE),
	REGISTER_FORMS(test, FLAGS_OVERWRITE),
	THREE_SIZES(neg_r, FLAGS_OVERWRITE),
	THREE_SIZES(shl_ri, FLAGS_OVERWRITE),
	THREE_SIZES(shr_ri, FLAGS_OVERWRITE),
	THREE_SIZES(sar_ri, FLAGS_OVERWRITE),
	[X86_OP_shld_ri_32] = FLAGS_OVERWRITE,
	[X86_OP_shrd_ri_32] = FLAGS_OVERWRITE,
	[X86_OP_mul_r_32] = FLAGS_OVERWRITE,
	[X86_OP_imul_r_32] = FLAGS_OVERWRITE,
	[X86_OP_imul_rr_32] = FLAGS_OVERWRITE,
	[X86_OP_imul_rri_32] = FLAGS_OVERWRITE,
	[X86_OP_zero_r] = FLAGS_OVERWRITE,
	[X86_OP_cmp_rr_32_j_o... X86_OP_cmp_ri_32_j_nle] = FLAGS_OVERWRITE,
	[X86_OP_test_rr_32_j_o... X86_OP_test_ri_8_j_nle] = FLAGS_OVERWRITE,

	REGISTER_FORMS(mov, FLAGS_IGNORE),
	THREE_SIZES(not_r, FLAGS_IGNORE),
	THREE_SIZES(xchg_rr, FLAGS_IGNORE),
	[X86_OP_movzx_r_8_32] = FLAGS_IGNORE,
	[X86_OP_movzx_r_16_32] = FLAGS_IGNORE,
	[X86_OP_movsx_r_8_32] = FLAGS_IGNORE,
	[X86_OP_movsx_r_16_32] = FLAGS_IGNORE,
	[X86_OP_movzx_r_8_16] = FLAGS_IGNORE,
	[X86_OP_movsx_r_8_16] = FLAGS_IGNORE,
	[X86_OP_lea_32] = FLAGS_IGNORE,
	[X86_OP_lea_16] = FLAGS_IGNORE,
	[X86_OP_bswap_32] = FLAGS_IGNORE,
	[X86_OP_cwde] = FLAGS_IGNORE,
	[X86_OP_cbw] = FLAGS_IGNORE,
	[X86_OP_cdq] = FLAGS_IGNORE,
	[X86_OP_cwd] = FLAGS_IGNORE,
	[X86_OP_nop] = FLAGS_IGNORE,
};

static bool loads_memory(unsigned op)
{
	return op == X86_OP_add_rm_32 || op == X86_OP_sub_rm_32 || op == X86_OP_and_rm_32 ||
	       op == X86_OP_or_rm_32 || op == X86_OP_xor_rm_32;
}

/* From the end to the beginning: where flags are overwritten before anything can see them, they
 * need not be computed. A load may fault and show those before it. */
static void drop_dead_flags(struct x86_builder *builder)
{
	bool dead = false;

	for (unsigned slot = builder->slots; slot-- > 0;) {
		unsigned op = builder->op[slot];

		if (builder->op[slot] == X86_OP_COUNT)
			continue;
		if (dead && without_flags[op] != 0) {
			builder->op[slot] = without_flags[op];
			dead = !loads_memory(op);
		} else if (flag_effects[op] == FLAGS_OVERWRITE) {
			dead = true;
		} else if (flag_effects[op] == FLAGS_LIVE) {
			dead = false;
		}
	}
}

static void count_remaining(struct x86_builder *builder)
{
	unsigned remaining = 0;

	for (unsigned slot = builder->slots; slot-- > 0;) {
		struct x86_insn *insn = &builder->block->code[slot];
		unsigned op = builder->op[slot];

		if (builder->op[slot] == X86_OP_COUNT)
			continue;
		if (op == X86_OP_address) {
			insn->remaining = insn[1].remaining;
		} else if (op == X86_OP_account) {
			insn->remaining = (uint8_t)(remaining - 1);
		} else if (op != X86_OP_next && op != X86_OP_stop) {
			insn->remaining = (uint8_t)remaining;
			remaining += 1u + insn->is_pair;
		}
	}
}

unsigned x86_with_flags(unsigned op)
{
	if (op < X86_OP_add_rr_nf || op > X86_OP_dec_r_nf)
		return op;
	return with_flags[op - X86_OP_add_rr_nf];
}

void x86_finish_block(struct x86_builder *builder, bool is_stop)
{
	if (!builder->ended) {
		const struct x86_decoded nothing = {.length = 0};

		x86_emit(builder, &nothing, is_stop ? X86_OP_stop : X86_OP_next)->immediate =
			(uint32_t)builder->eip;
	}
	builder->block->count = (uint16_t)builder->instructions;
	builder->block->slots = (uint16_t)builder->slots;
	count_remaining(builder);
	drop_dead_flags(builder);
	for (unsigned slot = 0; slot < builder->slots; slot++)
		if (builder->op[slot] != X86_OP_COUNT)
			builder->block->code[slot].handler = x86_handler(builder->op[slot]);
	memcpy(x86_block_ops(builder->block), builder->op, builder->slots * sizeof builder->op[0]);
}
