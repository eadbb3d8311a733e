/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/account.h"

#include <errno.h>
#include <stdlib.h>

#include "x86/decode.h"
#include "x86/trail.h"

int x86_account_init(
	struct x86_account *account, const struct cpu_account *wanted, unsigned cpu_count)
{
	*account = (struct x86_account){
		.counts_wanted = wanted->counts,
		.sample_every = wanted->sample_every,
		.cpus = calloc(cpu_count, sizeof *account->cpus),
	};
	if (!account->cpus)
		return -ENOMEM;
	for (unsigned i = 0; i < cpu_count; i++) {
		account->cpu_count++;
		account->cpus[i].once = calloc(1, sizeof *account->cpus[i].once);
		if (!account->cpus[i].once ||
			x86_account_last_init(&account->cpus[i].last, wanted->last_max) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void free_blocks(struct x86_account_cpu *cpu)
{
	while (cpu->blocks) {
		struct x86_account_block *block = cpu->blocks;

		cpu->blocks = block->next;
		free(block);
	}
}

void x86_account_free(struct x86_account *account)
{
	for (unsigned i = 0; i < account->cpu_count; i++) {
		free_blocks(&account->cpus[i]);
		free(account->cpus[i].once);
		x86_account_last_free(&account->cpus[i].last);
	}
	free(account->cpus);
	x86_counts_free(&account->counts);
}

static struct x86_account_cpu *account_of(const struct x86_cpu *cpu)
{
	return &cpu->system->account->cpus[cpu->id];
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Copies the code of a block, which can go over the border of a page. */
static bool read_code(const struct x86_cpu *cpu, const struct x86_block *block, uint8_t *bytes)
{
	unsigned in_page = X86_PAGE_SIZE - (unsigned)(block->gpa[0] % X86_PAGE_SIZE);
	unsigned first = block->size < in_page ? block->size : in_page;

	return gmem_read(cpu->system->gmem, block->gpa[0], bytes, first) == 0 &&
	       (first == block->size || gmem_read(cpu->system->gmem, block->gpa[1], bytes + first,
						block->size - first) == 0);
}

/* Sets where the instructions begin. Returns false if the code is not the one that the block was
 * decoded from. */
static bool find_starts(struct x86_account_block *to, const struct x86_block *block)
{
	unsigned at = 0;

	for (unsigned i = 0; i < block->count; i++) {
		struct x86_decoded decoded;
		unsigned left = block->size - at;

		to->start[i] = (uint16_t)at;
		if (x86_decode(to->bytes + at, left < X86_INSN_BYTES ? left : X86_INSN_BYTES,
			    block->mode, &decoded) != 0)
			return false;
		at += decoded.length;
		if (at > block->size)
			return false;
	}
	to->start[block->count] = (uint16_t)at;
	return at == block->size;
}

static uint64_t linear_of(const struct x86_cpu *cpu, uint64_t eip)
{
	return (uint32_t)(cpu->segment[X86_CS].base + eip);
}

void x86_account_add(struct x86_cpu *cpu, struct x86_block *block)
{
	struct x86_account_cpu *account;
	struct x86_account_block *made;

	if (!cpu->system->account)
		return;
	account = account_of(cpu);
	made = calloc(1, sizeof *made + block->size);
	if (!made)
		return;
	made->linear = linear_of(cpu, block->eip);
	made->count = block->count;
	made->size = block->size;
	if (!read_code(cpu, block, made->bytes) || !find_starts(made, block)) {
		free(made);
		return;
	}
	made->next = account->blocks;
	account->blocks = made;
	block->account = made;
}

/* Returns the account of the current block. */
static struct x86_account_block *find_block(struct x86_cpu *cpu)
{
	const struct x86_block *block = x86_current_block(cpu);
	struct x86_account_block *once = account_of(cpu)->once;

	if (block->account)
		return block->account;
	once->linear = linear_of(cpu, block->eip);
	once->count = block->count;
	return once;
}

/* --- executing -------------------------------------------------------------------------------- */

/* What was executed of a block without an account: nothing is known later of its instructions. */
static void note_once(struct x86_account *account, struct x86_account_cpu *cpu, uint64_t executed)
{
	const struct x86_account_entry entry = {.address = cpu->once->linear, .vector = -1};

	x86_account_last_add(&cpu->last, &entry);
	if (account->counts_wanted)
		x86_counts_add(&account->counts, cpu->once->linear, executed);
}

/* The current block is over: count tells how much of it was executed. */
static void finish(struct x86_account *account, struct x86_account_cpu *cpu, uint64_t count)
{
	struct x86_account_block *block = cpu->current;
	uint64_t executed = count - cpu->count;

	cpu->current = NULL;
	cpu->count = count;
	if (!block || executed == 0 || executed > block->count)
		return;
	if (block == cpu->once) {
		note_once(account, cpu, executed);
		return;
	}
	block->left[executed]++;
	x86_account_last_add(&cpu->last,
		&(struct x86_account_entry){.block = block, .count = (unsigned)executed});
}

static void sample(struct x86_cpu *cpu, struct x86_account_cpu *mine, uint64_t count)
{
	const struct x86_account *account = cpu->system->account;

	account->sample(account->ctx, cpu, count - mine->sampled);
	mine->sampled = count;
}

void x86_account_enter(struct x86_cpu *cpu)
{
	struct x86_account *account = cpu->system->account;
	struct x86_account_cpu *mine = account_of(cpu);
	uint64_t count = x86_count(cpu);

	/* A CPU that goes on from a snapshot has executed something before. */
	if (!mine->has_begun)
		mine->sampled = count;
	mine->has_begun = true;
	finish(account, mine, count);
	mine->current = find_block(cpu);
	if (account->sample_every != 0 && count - mine->sampled >= account->sample_every)
		sample(cpu, mine, count);
}

void x86_account_deliver(struct x86_cpu *cpu, unsigned vector)
{
	const struct x86_account_entry entry = {
		.address = linear_of(cpu, cpu->eip), .vector = (int)vector};

	if (!cpu->system->account)
		return;
	finish(cpu->system->account, account_of(cpu), x86_count(cpu));
	x86_account_last_add(&account_of(cpu)->last, &entry);
}

/* Puts down by address what is known by block. An instruction was executed as often as its block
 * was left after it. */
static void settle(struct x86_account *account, struct x86_account_cpu *cpu)
{
	if (cpu->last.max > 0)
		x86_account_last_settle(&cpu->last);
	for (struct x86_account_block *block = cpu->blocks; block; block = block->next) {
		uint64_t executed = 0;

		for (unsigned i = block->count; account->counts_wanted && i > 0; i--) {
			executed += block->left[i];
			block->left[i] = 0;
			x86_counts_add(&account->counts,
				(uint32_t)(block->linear + block->start[i - 1]), executed);
		}
	}
}

void x86_account_forget(struct x86_cpu *cpu)
{
	struct x86_account *account = cpu->system->account;

	if (!account)
		return;
	finish(account, account_of(cpu), x86_count(cpu));
	settle(account, account_of(cpu));
	free_blocks(account_of(cpu));
}

void x86_account_end(struct x86_cpu *cpu)
{
	struct x86_account *account = cpu->system->account;
	struct x86_account_cpu *mine = account_of(cpu);
	uint64_t count = x86_count(cpu);

	finish(account, mine, count);
	settle(account, mine);
	if (account->sample_every != 0 && mine->has_begun && count != mine->sampled)
		sample(cpu, mine, count);
}
