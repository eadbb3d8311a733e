/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/callers.h"

#include <stdio.h>
#include <string.h>

#include "cpu/place.h"
#include "cpu/register_bits.h"
#include "cpu/text_list.h"

/* The longest near call without prefixes: opcode, ModRM, SIB, displacement of 32 bits. */
#define CALL_BYTES 7

/* Bytes of `push %ebp`, with which a function begins that keeps a frame pointer, and of the
 * endbr32 or endbr64 that may precede it (Intel SDM 2, PUSH, ENDBR32). */
#define PUSH_EBP    0x55
#define ENDBR_BYTES 4

/* The stack and the code of a CPU, as its registers have them. */
struct view {
	struct cpu *cpu;
	uint64_t stack_base, code_base; /* of SS and CS */
	uint64_t mask;                  /* of addresses */
	unsigned word;                  /* bytes of a return address */
};

static struct view view_of(struct cpu *cpu, const struct cpu_registers *r)
{
	bool is_long = r->efer & X86_EFER_LMA;

	return (struct view){
		.cpu = cpu,
		.stack_base = is_long ? 0 : r->ss.base,
		.code_base = is_long ? 0 : r->cs.base,
		.mask = is_long ? UINT64_MAX : UINT32_MAX,
		.word = is_long ? 8 : 4,
	};
}

/* Reads the word of the stack at an offset in SS. */
static bool read_word(const struct view *view, uint64_t offset, uint64_t *value)
{
	uint64_t linear = (view->stack_base + offset) & view->mask;

	*value = 0;
	return cpu_read_linear(view->cpu, linear, value, view->word) == view->word;
}

/* --- return addresses ------------------------------------------------------------------------- */

/* Returns the length of an instruction FF /2, a call through a register or memory, by its ModRM
 * and SIB bytes (Intel SDM 2, tables 2-2 and 2-3); 0 if ModRM is not one of FF /2. */
static unsigned indirect_call_length(uint8_t modrm, uint8_t sib)
{
	unsigned mod = modrm >> 6, rm = modrm & 7;
	bool has_sib = mod != 3 && rm == 4;
	unsigned displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if ((modrm >> 3 & 7) != 2)
		return 0;
	if (mod == 0 && (rm == 5 || (has_sib && (sib & 7) == 5)))
		displacement = 4;
	return 2 + has_sib + displacement;
}

/* Whether the code before address ends with a call instruction. *target is where that leads to if
 * it is a direct one, else 0. */
static bool follows_call(const struct view *view, uint64_t address, uint64_t *target)
{
	uint8_t code[CALL_BYTES];
	int32_t relative;

	*target = 0;
	if (address < sizeof code ||
		cpu_read_linear(view->cpu, address - sizeof code, code, sizeof code) < sizeof code)
		return false;
	if (code[CALL_BYTES - 5] == 0xe8) {
		memcpy(&relative, &code[CALL_BYTES - 4], sizeof relative);
		*target = (address + (uint64_t)(int64_t)relative) & view->mask;
		return true;
	}
	for (unsigned len = 2; len <= CALL_BYTES; len++) {
		const uint8_t *call = &code[CALL_BYTES - len];

		if (call[0] == 0xff && indirect_call_length(call[1], len > 2 ? call[2] : 0) == len)
			return true;
	}
	return false;
}

/* Whether the word at an offset in SS is a return address; *address is where it leads to. */
static bool read_return(
	const struct view *view, uint64_t offset, uint64_t *address, uint64_t *target)
{
	if (!read_word(view, offset, address))
		return false;
	*address = (view->code_base + *address) & view->mask;
	return follows_call(view, *address, target);
}

/* Returns where the function begins that an address lies in; 0 if no symbol is known. */
static uint64_t function_at(const struct view *view, uint64_t address)
{
	uint32_t offset;

	if (!view->cpu->host->symbol(view->cpu, address, &offset))
		return 0;
	return address - offset;
}

static void add(struct callers *callers, uint64_t address)
{
	if (callers->count == CALLERS_MAX)
		callers->is_cut = true;
	else
		callers->address[callers->count++] = address;
}

/* --- frame pointers --------------------------------------------------------------------------- */

/*
 * Finds the return address of a function that has not made a frame yet: it is at the top of the
 * stack before the function's first instruction, and one word further when that has pushed EBP (an
 * endbr32 may precede it). It is at the top, too, after a jump or call to where no code is. Returns
 * where the callers' part of the stack begins.
 */
static uint64_t find_first(
	const struct view *view, const struct cpu_registers *r, struct callers *callers)
{
	uint64_t rip = (view->code_base + r->rip) & view->mask, rsp = r->general[CPU_RSP];
	uint64_t into = rip - function_at(view, rip), address, target;
	uint8_t byte = 0;

	if (cpu_read_linear(view->cpu, rip, &byte, 1) == 1 && into != 0 && into != ENDBR_BYTES) {
		if (into != 1 && into != ENDBR_BYTES + 1)
			return rsp;
		if (cpu_read_linear(view->cpu, rip - 1, &byte, 1) < 1 || byte != PUSH_EBP)
			return rsp;
		rsp += view->word;
	}
	if (!read_return(view, rsp, &address, &target))
		return r->general[CPU_RSP];
	add(callers, address);
	return rsp + view->word;
}

/*
 * Adds the caller of a function that makes no frame of its own, so that the frame pointer is still
 * its caller's: the return address at frame is then that of a call to another function. The
 * function's own return address is below the frame.
 */
static void find_frameless(const struct view *view, uint64_t rip, uint64_t rsp, uint64_t frame,
	struct callers *callers)
{
	uint64_t function = function_at(view, rip), address, target;
	unsigned len = frame - rsp < CALLERS_STACK ? (unsigned)(frame - rsp) : CALLERS_STACK;

	if (function == 0 || !read_return(view, frame + view->word, &address, &target) ||
		target == 0 || target == function)
		return;
	for (unsigned i = 0; i < len; i += view->word) {
		if (read_return(view, rsp + i, &address, &target) && target == function) {
			add(callers, address);
			return;
		}
	}
}

/* Follows saved frame pointers: each frame has the caller's one and, above it, the return address.
 * They lead upwards. */
static void follow_frames(
	const struct view *view, uint64_t frame, uint64_t lowest, struct callers *callers)
{
	uint64_t address, target;

	while (frame >= lowest && frame % view->word == 0 && !callers->is_cut) {
		if (!read_return(view, frame + view->word, &address, &target))
			return;
		add(callers, address);
		lowest = frame + 2 * view->word;
		if (!read_word(view, frame, &frame))
			return;
	}
}

/* --- search of the stack ---------------------------------------------------------------------- */

/* Words of the stack that may be return addresses. */
#define CANDIDATES_MAX 64

struct candidates {
	unsigned count;
	struct {
		uint64_t address, target;
	} at[CANDIDATES_MAX];
};

static void find_candidates(const struct view *view, uint64_t rsp, struct candidates *candidates)
{
	uint64_t address, target;

	candidates->count = 0;
	for (unsigned i = 0; i < CALLERS_STACK && candidates->count < CANDIDATES_MAX;
		i += view->word) {
		if (!read_return(view, rsp + i, &address, &target))
			continue;
		candidates->at[candidates->count].address = address;
		candidates->at[candidates->count++].target = target;
	}
}

/*
 * Returns the candidate, from this one on, that called the function at an address: the first one
 * whose direct call leads there or, if there is none, the first one. What lies between was left by
 * calls that have returned.
 */
static unsigned choose(const struct candidates *candidates, unsigned from, uint64_t function)
{
	for (unsigned i = from; function != 0 && i < candidates->count; i++)
		if (candidates->at[i].target == function)
			return i;
	return from;
}

static void search_stack(
	const struct view *view, uint64_t rip, uint64_t rsp, struct callers *callers)
{
	struct candidates candidates;
	unsigned next = 0;

	find_candidates(view, rsp, &candidates);
	while (!callers->is_cut) {
		next = choose(&candidates, next, function_at(view, rip));
		if (next >= candidates.count)
			return;
		rip = candidates.at[next++].address;
		add(callers, rip);
		rip--; /* a call may be the last instruction of its function */
	}
}

bool callers_top(
	struct cpu *cpu, const struct cpu_registers *r, uint64_t *address, uint64_t *target)
{
	const struct view view = view_of(cpu, r);

	return read_return(&view, r->general[CPU_RSP], address, target);
}

/* Finds the callers that the top of the stack and frame pointers tell. Returns whether frame
 * pointers have told any; *rsp is where the stack may go on without them. */
static bool find_certain(const struct view *view, const struct cpu_registers *r, uint64_t rip,
	uint64_t *rsp, struct callers *callers)
{
	uint64_t frame = r->general[CPU_RBP];

	*rsp = find_first(view, r, callers);
	callers->certain = callers->count;
	if (callers->count == 0 && frame >= *rsp && frame % view->word == 0)
		find_frameless(view, rip, *rsp, frame, callers);
	follow_frames(view, frame, *rsp, callers);
	if (callers->count == callers->certain)
		return false;
	callers->certain = callers->count;
	return true;
}

static bool has_callers(const struct cpu_registers *r)
{
	return r->cr0 & X86_CR0_PE && !(r->rflags & X86_VM);
}

void callers_find_certain(struct cpu *cpu, const struct cpu_registers *r, struct callers *callers)
{
	const struct view view = view_of(cpu, r);
	uint64_t rsp;

	*callers = (struct callers){.count = 0};
	if (has_callers(r))
		find_certain(&view, r, (view.code_base + r->rip) & view.mask, &rsp, callers);
}

void callers_find(struct cpu *cpu, const struct cpu_registers *r, struct callers *callers)
{
	const struct view view = view_of(cpu, r);
	uint64_t rip = (view.code_base + r->rip) & view.mask, rsp;

	*callers = (struct callers){.count = 0};
	if (!has_callers(r) || find_certain(&view, r, rip, &rsp, callers))
		return;
	if (callers->count > 0)
		rip = callers->address[callers->count - 1] - 1;
	search_stack(&view, rip, rsp, callers);
}

/* --- text ------------------------------------------------------------------------------------- */

/* Callers from first to end; the same one several times, as recursion leaves it, is said once. */
static void say_part(struct cpu *cpu, const struct callers *callers, unsigned first, unsigned end,
	const char *intro)
{
	struct text_list list;

	text_list_begin(&list, intro);
	while (first < end) {
		char item[sizeof(struct place) + 16];
		unsigned times = 1;
		int len;

		while (first + times < end &&
			callers->address[first + times] == callers->address[first])
			times++;
		len = snprintf(item, sizeof item, "%s",
			place_of_return(cpu, callers->address[first]).text);
		if (times > 1)
			snprintf(item + len, sizeof item - (size_t)len, " %u times", times);
		text_list_add(&list, item);
		first += times;
	}
	if (callers->is_cut && end == callers->count)
		text_list_add(&list, "...");
	text_list_end(&list);
}

void callers_say(struct cpu *cpu, const struct callers *callers)
{
	if (callers->certain > 0)
		say_part(cpu, callers, 0, callers->certain, "called from");
	if (callers->count > callers->certain)
		say_part(cpu, callers, callers->certain, callers->count,
			callers->certain > 0 ? "and perhaps from" : "perhaps called from");
}
