/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations, in one of three forms of dispatch. In all of them a handler ends by finding the
 * next handler in the next slot, and it is written once, in op_*.h (op_all.h), with these macros:
 *
 *	X86_HANDLER(name)   begins the handler of an operation; a block in braces follows
 *	insn                the current slot
 *	RESULT, CARRY       the arithmetic flags, as in flags.h
 *	BUDGET              instructions left after this block
 *	SAVE, RESTORE       bring these into struct x86_cpu, where others can see them, and back
 *	NEXT                goes on with the next slot
 *	JUMP                goes on with the block at insn->immediate, through insn->link
 *	JUMP_TO(eip)        goes on with the block at a computed EIP
 *	LEAVE(eip)          returns from x86_execute(); execution goes on at eip
 *	EXIT(where)         goes to a part that is shared: slow_jump, slow_jump_to, no_budget
 */
#include "x86/execute.h"

#include "x86/account.h"
#include "x86/flags.h"
#include "x86/ops.h"
#include "x86/trail.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	"registers and guest memory are accessed as the host has its bytes");

/*
 * X86_DISPATCH_GOTO    computed goto inside one function: the fastest with gcc. clang does not
 *                      finish compiling it.
 * X86_DISPATCH_TAIL    functions that end in a tail call, state in argument registers.
 * X86_DISPATCH_CALLS   a loop of function calls, state in struct x86_cpu: plain C, for builds
 *                      without optimisation and for sanitizers.
 */
#define X86_DISPATCH_GOTO  1
#define X86_DISPATCH_TAIL  2
#define X86_DISPATCH_CALLS 3

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define X86_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define X86_SANITIZED
#endif
#endif

#ifndef X86_DISPATCH
#if !defined(__OPTIMIZE__) || defined(X86_SANITIZED)
#define X86_DISPATCH X86_DISPATCH_CALLS
#elif !defined(__clang__)
#define X86_DISPATCH X86_DISPATCH_GOTO
#elif __has_attribute(musttail)
#define X86_DISPATCH X86_DISPATCH_TAIL
#else
#define X86_DISPATCH X86_DISPATCH_CALLS
#endif
#endif

/* --- registers and memory --------------------------------------------------------------------- */

/* Guest memory and parts of registers, whatever type they were last accessed with. */
typedef uint8_t host_8;
typedef uint16_t __attribute__((may_alias, aligned(1))) host_16;
typedef uint32_t __attribute__((may_alias, aligned(1))) host_32;

/* A register as an operand. A write of 32 bits zero-extends, smaller ones leave the rest alone (SDM
 * 1, 3.4.1.1). Registers of 8 bits are numbered by their byte in the register file. */
#define GET_32(n)        ((uint32_t)cpu->reg[n])
#define GET_16(n)        ((uint32_t)(uint16_t)cpu->reg[n])
#define GET_8(n)         ((uint32_t)((const host_8 *)cpu->reg)[n])
#define SET_32(n, value) (cpu->reg[n] = (uint32_t)(value))
#define SET_16(n, value) (*(host_16 *)&cpu->reg[n] = (uint16_t)(value))
#define SET_8(n, value)  (((host_8 *)cpu->reg)[n] = (uint8_t)(value))

/* The linear address of the memory operand: 32 bits, in a flat segment or in X86_TEMP. */
#define ADDRESS                                                                              \
	((uint32_t)cpu->reg[insn->base] + ((uint32_t)cpu->reg[insn->index] << insn->scale) + \
		insn->displacement)

#define TLB_ENTRY(linear) (&cpu->tlb[(linear) / X86_PAGE_SIZE % X86_TLB_ENTRIES])

/* After a slow path: leave the block behind this instruction if that was asked for. */
#define AFTER_SLOW_PATH                       \
	if (X86_UNLIKELY(cpu->leave)) {       \
		insn = x86_detour(cpu, insn); \
		RESTORE_BUDGET;               \
	}

/* Declare value and load it. The last byte's page is compared: an access over the border of a page
 * has no tag, and takes the slow path. */
#define LOAD(size, address, value)                                                            \
	uint32_t value;                                                                       \
	do {                                                                                  \
		const uint64_t linear_ = (address);                                           \
		const struct x86_tlb_entry *tlb_ = TLB_ENTRY(linear_);                        \
		if (X86_LIKELY(((linear_ + (size / 8 - 1)) & X86_PAGE_MASK) == tlb_->read)) { \
			value = *(const host_##size *)(tlb_->addend + linear_);               \
		} else {                                                                      \
			SAVE;                                                                 \
			value = (uint##size##_t)x86_load_slow(cpu, linear_, size / 8);        \
			AFTER_SLOW_PATH                                                       \
		}                                                                             \
	} while (0)

/* The same for an operation that stores a new value there: what the store may raise is raised
 * before the load (operands.h, x86_read_rm_to_change()). */
#define LOAD_TO_CHANGE(size, address, value)                                                   \
	uint32_t value;                                                                        \
	do {                                                                                   \
		const uint64_t linear_ = (address);                                            \
		const struct x86_tlb_entry *tlb_ = TLB_ENTRY(linear_);                         \
		if (X86_LIKELY(((linear_ + (size / 8 - 1)) & X86_PAGE_MASK) == tlb_->write)) { \
			value = *(const host_##size *)(tlb_->addend + linear_);                \
		} else {                                                                       \
			SAVE;                                                                  \
			x86_check_write(cpu, linear_, size / 8, X86_WRITE);                    \
			value = (uint##size##_t)x86_load_slow(cpu, linear_, size / 8);         \
			AFTER_SLOW_PATH                                                        \
		}                                                                              \
	} while (0)

#define STORE(size, address, value)                                                            \
	do {                                                                                   \
		const uint64_t linear_ = (address);                                            \
		const uint##size##_t value_ = (uint##size##_t)(value);                         \
		const struct x86_tlb_entry *tlb_ = TLB_ENTRY(linear_);                         \
		if (X86_LIKELY(((linear_ + (size / 8 - 1)) & X86_PAGE_MASK) == tlb_->write)) { \
			*(host_##size *)(tlb_->addend + linear_) = value_;                     \
		} else {                                                                       \
			SAVE;                                                                  \
			x86_store_slow(cpu, linear_, value_, size / 8);                        \
			AFTER_SLOW_PATH                                                        \
		}                                                                              \
	} while (0)

/* --- what the forms have in common ------------------------------------------------------------ */

#define RAISE(vector)                   \
	do {                            \
		SAVE;                   \
		x86_raise(cpu, vector); \
	} while (0)

#define LEAVE(eip_)                \
	do {                       \
		cpu->eip = (eip_); \
		SAVE;              \
		cpu->insn = NULL;  \
		RETURN;            \
	} while (0)

/* The current block is the last one of the trail (trail.h). */
#define TRAIL_END     (*(uint64_t *)((char *)cpu->trail + TRAIL))
#define BLOCK         ((struct x86_block *)(uintptr_t)TRAIL_END)
#define TRAIL_MOVE(n) (TRAIL = (uint8_t)(TRAIL + (n) * (int)sizeof(uint64_t)))

/* LEAVE in the middle of a block, without a branch. */
#define LEAVE_BLOCK(eip_)                         \
	do {                                      \
		const uint64_t left_at_ = (eip_); \
		TRAIL_MOVE(1);                    \
		TRAIL_END = X86_TRAIL_LEFT;       \
		LEAVE(left_at_);                  \
	} while (0)

/* The block's instructions are taken from the budget at once; who leaves it early gives the rest
 * back. */
#define ENTER(block_)                                  \
	do {                                           \
		struct x86_block *entered_ = (block_); \
		TRAIL_MOVE(1);                         \
		TRAIL_END = x86_trail_block(entered_); \
		BUDGET -= entered_->count;             \
		insn = entered_->code;                 \
		if (X86_UNLIKELY(BUDGET < 0))          \
			EXIT(no_budget);               \
		GO;                                    \
	} while (0)

#define JUMP                                                              \
	do {                                                              \
		struct x86_block *to_ = insn->link;                       \
		if (X86_UNLIKELY(to_->generation != cpu->map_generation)) \
			EXIT(slow_jump);                                  \
		ENTER(to_);                                               \
	} while (0)

#define JUMP_TO(eip_)                                                                              \
	do {                                                                                       \
		const uint64_t target_ = (eip_);                                                   \
		struct x86_block *to_ = cpu->jump[target_ % X86_JUMP_ENTRIES];                     \
		if (X86_UNLIKELY(to_->eip != target_ || to_->generation != cpu->map_generation)) { \
			cpu->eip = target_;                                                        \
			EXIT(slow_jump_to);                                                        \
		}                                                                                  \
		ENTER(to_);                                                                        \
	} while (0)

#define NEXT            \
	do {            \
		insn++; \
		GO;     \
	} while (0)

/* Finds the block at cpu->eip and goes on with it; from_ is the slot that is to lead there from now
 * on, or NULL. */
#define FIND_BLOCK(from_)                              \
	do {                                           \
		struct x86_insn *linked_ = (from_);    \
		struct x86_block *found_;              \
		SAVE;                                  \
		cpu->insn = NULL;                      \
		found_ = x86_next_block(cpu, linked_); \
		if (found_ == NULL)                    \
			RETURN;                        \
		ENTER(found_);                         \
	} while (0)

/* --- the three forms -------------------------------------------------------------------------- */

#if X86_DISPATCH == X86_DISPATCH_CALLS

#define ARGUMENTS __attribute__((unused)) struct x86_cpu *cpu, struct x86_insn *insn
#define RESULT    cpu->flags_result
#define CARRY     cpu->flags_carry
#define BUDGET    cpu->budget
#define TRAIL     cpu->trail_at
#define SAVE      (cpu->insn = insn)
#define RESTORE   ((void)0)
#define RESTORE_BUDGET
#define RETURN            return NULL
#define GO                return insn
#define EXIT(where)       return where(cpu, insn)
#define X86_HANDLER(name) static struct x86_insn *op_##name(ARGUMENTS)
#define X86_SHARED(name)  static __attribute__((noinline)) struct x86_insn *name(ARGUMENTS)
typedef struct x86_insn *x86_handler_function(ARGUMENTS);

#else

#define SAVE                                                                     \
	(cpu->insn = insn, cpu->flags_result = RESULT, cpu->flags_carry = CARRY, \
		cpu->budget = BUDGET, cpu->trail_at = TRAIL)
#define RESTORE        (RESULT = cpu->flags_result, CARRY = cpu->flags_carry)
#define RESTORE_BUDGET (BUDGET = cpu->budget)
#define RESULT         result
#define CARRY          carry
#define BUDGET         budget
#define TRAIL          trail
#define RETURN         return

#if X86_DISPATCH == X86_DISPATCH_TAIL

#define ARGUMENTS                                                                   \
	struct x86_cpu *cpu, struct x86_insn *insn, int64_t result, uint64_t carry, \
		int64_t budget, uint8_t trail
#ifdef __clang__
#define TAIL_CALL __attribute__((musttail)) return
#else
#define TAIL_CALL return
#endif

#define GO TAIL_CALL((x86_handler_function *)insn->handler)(cpu, insn, result, carry, budget, trail)

#define EXIT(where)       TAIL_CALL where(cpu, insn, result, carry, budget, trail)
#define X86_HANDLER(name) static void op_##name(ARGUMENTS)
#define X86_SHARED(name)  static __attribute__((noinline)) void name(ARGUMENTS)
typedef void x86_handler_function(ARGUMENTS);

#else

#define GO                goto * insn->handler
#define EXIT(where)       goto where
#define X86_HANDLER(name) op_##name:
#define X86_SHARED(name) \
name:

#endif
#endif

#if X86_DISPATCH != X86_DISPATCH_GOTO

#include "x86/op_all.h"

#define X86_HANDLER_OF(name) [X86_OP_##name] = op_##name,
static x86_handler_function *const handlers[X86_OP_COUNT] = {X86_OPS(X86_HANDLER_OF)};

const void *x86_handler(enum x86_op op)
{
	return (const void *)handlers[op];
}

void x86_execute(struct x86_cpu *cpu, struct x86_block *block)
{
	struct x86_insn *insn = block->code;

	cpu->budget -= block->count;
	if (cpu->budget < 0) {
		cpu->budget += block->count;
		cpu->eip = block->eip;
		return;
	}
	x86_trail_add(cpu, x86_trail_block(block));
#if X86_DISPATCH == X86_DISPATCH_CALLS
	while (insn != NULL)
		insn = ((x86_handler_function *)insn->handler)(cpu, insn);
#else
	((x86_handler_function *)insn->handler)(
		cpu, insn, cpu->flags_result, cpu->flags_carry, cpu->budget, cpu->trail_at);
#endif
}

#else

/* All handlers in one function. Their addresses exist only here, so it gives them away as well,
 * with cpu NULL. */
static void execute(
	struct x86_cpu *cpu, struct x86_block *block, enum x86_op op, const void **handler)
{
#define X86_HANDLER_OF(name) [X86_OP_##name] = &&op_##name,
	static const void *const handlers[X86_OP_COUNT] = {X86_OPS(X86_HANDLER_OF)};
	struct x86_insn *insn;
	int64_t result, budget;
	uint64_t carry;
	uint8_t trail;

	if (cpu == NULL) {
		*handler = handlers[op];
		return;
	}
	result = cpu->flags_result;
	carry = cpu->flags_carry;
	trail = cpu->trail_at;
	budget = cpu->budget;
	ENTER(block);

#include "x86/op_all.h"
}

const void *x86_handler(enum x86_op op)
{
	const void *handler;

	execute(NULL, NULL, op, &handler);
	return handler;
}

void x86_execute(struct x86_cpu *cpu, struct x86_block *block)
{
	execute(cpu, block, 0, NULL);
}

#endif
