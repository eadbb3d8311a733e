/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of decoded blocks. */
#include "x86/block.h"

#include <errno.h>
#include <stdlib.h>

#include "x86/account.h"
#include "x86/debug.h"
#include "x86/execute.h"
#include "x86/trail.h"

/* x86_charge(): to look at a block in a list, and to look at the TLB of a CPU. */
#define COST_LISTED 8
#define COST_TLB    128

static struct x86_block **hash_bucket(struct x86_cache *cache, gpa_t gpa)
{
	return &cache->hash[(gpa ^ gpa / X86_PAGE_SIZE) % X86_HASH_BUCKETS];
}

static struct x86_code_page **page_bucket(struct x86_cache *cache, gpa_t gpa)
{
	return &cache->pages[gpa / X86_PAGE_SIZE % X86_PAGE_BUCKETS];
}

static struct x86_code_page *find_page(struct x86_cache *cache, gpa_t gpa)
{
	struct x86_code_page *page = *page_bucket(cache, gpa);

	while (page != NULL && page->gpa != (gpa & X86_PAGE_MASK))
		page = page->next;
	return page;
}

/* A bit for each line of 64 bytes in [first, last], offsets in a page. */
static uint64_t lines_of(unsigned first, unsigned last)
{
	return (UINT64_MAX << first / 64) & (UINT64_MAX >> (63 - last / 64));
}

static bool spans_pages(const struct x86_block *block)
{
	return block->gpa[0] % X86_PAGE_SIZE + block->size > X86_PAGE_SIZE;
}

/* Both linear pages of a block are the same guest-physical page: it is in one list only, and counts
 * as all of the page. */
static bool is_page_twice(const struct x86_block *block)
{
	return spans_pages(block) && (block->gpa[0] ^ block->gpa[1]) < X86_PAGE_SIZE;
}

/* The part of a block that lies in its page, or (which 1) in the next one. */
static void part_in_page(
	const struct x86_block *block, unsigned which, unsigned *first, unsigned *last)
{
	unsigned start = (unsigned)(block->gpa[0] % X86_PAGE_SIZE);
	unsigned end = start + (block->size > 0 ? block->size : 1);

	*first = which == 0 && !is_page_twice(block) ? start : 0;
	if (is_page_twice(block))
		*last = X86_PAGE_SIZE - 1;
	else if (which == 1)
		*last = end - X86_PAGE_SIZE - 1;
	else
		*last = end > X86_PAGE_SIZE ? X86_PAGE_SIZE - 1 : end - 1;
}

static void *allocate(struct x86_cache *cache, size_t size)
{
	void *memory = cache->pool + cache->used;

	cache->used += (size + 63) & ~(size_t)63;
	return memory;
}

/* --- lists of pages --------------------------------------------------------------------------- */

static void list_in_page(struct x86_cpu *cpu, struct x86_block *block, unsigned which)
{
	struct x86_cache *cache = cpu->cache;
	struct x86_code_page *page = find_page(cache, block->gpa[which]);
	unsigned first, last;

	if (page == NULL) {
		struct x86_code_page **bucket = page_bucket(cache, block->gpa[which]);

		page = allocate(cache, sizeof *page);
		*page = (struct x86_code_page){
			.gpa = block->gpa[which] & X86_PAGE_MASK,
			.next = *bucket,
		};
		*bucket = page;
	}
	if (page->blocks == NULL) {
		x86_charge(cpu, COST_TLB * cpu->system->cpu_count);
		x86_tlb_protect(cpu->system, page->gpa);
	}
	part_in_page(block, which, &first, &last);
	page->lines |= lines_of(first, last);
	block->next_page[which] = page->blocks;
	page->blocks = block;
}

static void list_block(struct x86_cpu *cpu, struct x86_block *block)
{
	list_in_page(cpu, block, 0);
	if (spans_pages(block) && !is_page_twice(block))
		list_in_page(cpu, block, 1);
}

/* Which list of a page leads on from the block: a block is in two lists if it spans two pages. */
static unsigned list_index(const struct x86_block *block, const struct x86_code_page *page)
{
	return (block->gpa[0] & X86_PAGE_MASK) == page->gpa ? 0 : 1;
}

/* --- invalidation ----------------------------------------------------------------------------- */

/* Has a block be found no more. It stays in its lists until someone who walks them meets it: to
 * look for it there would take time that a guest can have grow with the square of its blocks. */
static void kill_block(struct x86_cpu *cpu, struct x86_block *block)
{
	block->generation = 0;
	if (x86_current_block(cpu) == block ||
		(x86_current_block(cpu) == cpu->cache->once && cpu->cache->once_from == block))
		cpu->leave = cpu->cut = true;
}

static bool is_dead(const struct x86_block *block)
{
	return block->generation == 0;
}

/* [first, last] of a page is being written. */
static void kill_in_page(
	struct x86_cpu *cpu, struct x86_code_page *page, unsigned first, unsigned last)
{
	struct x86_block **place = &page->blocks;

	if ((page->lines & lines_of(first, last)) == 0)
		return;
	page->lines = 0;
	while (*place != NULL) {
		struct x86_block *block = *place;
		unsigned index = list_index(block, page), block_first, block_last;

		/* Whoever writes is charged, as soon as something else is. */
		cpu->system->cost += COST_LISTED;
		part_in_page(block, index, &block_first, &block_last);
		if (!is_dead(block) && (block_first > last || first > block_last)) {
			page->lines |= lines_of(block_first, block_last);
			place = &block->next_page[index];
			continue;
		}
		*place = block->next_page[index];
		kill_block(cpu, block);
	}
}

void x86_memory_written(void *ctx, gpa_t gpa, uint64_t len)
{
	struct x86_system *system = ctx;

	while (len > 0) {
		unsigned first = (unsigned)(gpa % X86_PAGE_SIZE);
		uint64_t part = X86_PAGE_SIZE - first < len ? X86_PAGE_SIZE - first : len;

		for (unsigned i = 0; i < system->cpu_count; i++) {
			struct x86_code_page *page = find_page(system->cpus[i].cache, gpa);

			if (page != NULL)
				kill_in_page(
					&system->cpus[i], page, first, first + (unsigned)part - 1);
		}
		gpa += part;
		len -= part;
	}
}

bool x86_page_has_code(const struct x86_system *system, gpa_t gpa)
{
	for (unsigned i = 0; i < system->cpu_count; i++) {
		const struct x86_code_page *page = find_page(system->cpus[i].cache, gpa);

		if (page != NULL && page->blocks != NULL)
			return true;
	}
	return false;
}

void x86_cache_flush(struct x86_cpu *cpu)
{
	struct x86_cache *cache = cpu->cache;

	x86_account_forget(cpu);
	for (unsigned i = 0; i < X86_HASH_BUCKETS; i++)
		cache->hash[i] = NULL;
	for (unsigned i = 0; i < X86_PAGE_BUCKETS; i++)
		cache->pages[i] = NULL;
	for (unsigned i = 0; i < X86_JUMP_ENTRIES; i++)
		cpu->jump[i] = cache->dead;
	x86_trail_forget(cpu, cache->once);
	cache->once->generation = 0;
	cache->once_from = NULL;
	cache->used = 0;
	cache->flushes++;
	if (cpu->insn != NULL)
		cpu->leave = true;
}

void x86_mode_changed(struct x86_cpu *cpu)
{
	if (++cpu->map_generation != 0)
		return;
	x86_cache_flush(cpu);
	cpu->map_generation = 1;
}

/* --- looking up ------------------------------------------------------------------------------- */

/* The pool has room for one more block, and for the pages that it may be the first on. */
static void make_room(struct x86_cpu *cpu)
{
	size_t needed = X86_BLOCK_BYTES + 2 * sizeof(struct x86_code_page) + 3 * 64;

	if (X86_POOL_SIZE - cpu->cache->used < needed)
		x86_cache_flush(cpu);
}

/* Whether a block was decoded at cpu->eip, which is at gpa, for the present mode, and its second
 * page, if it has one, is still what is mapped there. To look at that may set an accessed bit, of
 * all places in the block's pages, and kill it. */
static bool is_block_for(struct x86_cpu *cpu, const struct x86_block *block, gpa_t gpa)
{
	unsigned mode = x86_decode_mode(cpu);
	uint64_t next_page = (x86_code_linear(cpu, cpu->eip) & X86_PAGE_MASK) + X86_PAGE_SIZE;

	if (block->gpa[0] != gpa || block->eip != cpu->eip || block->mode != mode)
		return false;
	if (!(mode & X86_MODE_FLAT) && block->cs_limit != cpu->segment[X86_CS].limit)
		return false;
	if (spans_pages(block) && block->gpa[1] != x86_translate_code(cpu, (uint32_t)next_page))
		return false;
	return !is_dead(block);
}

static struct x86_block *find_decoded(struct x86_cpu *cpu, gpa_t gpa)
{
	struct x86_block **place = hash_bucket(cpu->cache, gpa);

	while (*place != NULL) {
		struct x86_block *block = *place;

		x86_charge(cpu, COST_LISTED);
		if (is_dead(block))
			*place = block->next_hash;
		else if (is_block_for(cpu, block, gpa))
			return block;
		else
			place = &block->next_hash;
	}
	return NULL;
}

static bool is_ram(const struct x86_cpu *cpu, gpa_t gpa)
{
	return gmem_ptr(cpu->system->gmem, gpa, 1, GMEM_READ) != NULL;
}

void x86_settle_once(struct x86_cpu *cpu)
{
	const struct x86_block *from = cpu->cache->once_from;

	x86_trail_replace(cpu, cpu->cache->once, from ? x86_trail_block(from) : X86_TRAIL_LOST);
}

/* A block for one execution is in no list: it ends with the block that it is the beginning of, and
 * what is not in RAM is not written behind the CPU's back. */
struct x86_block *x86_build_once(struct x86_cpu *cpu, gpa_t gpa, struct x86_block *from)
{
	struct x86_block *once = cpu->cache->once;

	x86_settle_once(cpu);
	x86_build_block(cpu, once, gpa, 1, true);
	once->generation = cpu->map_generation;
	once->account = from ? from->account : NULL;
	cpu->cache->once_from = from;
	return once;
}

/* The address to fetch from; the limit of CS is checked (SDM 3, 5.3). */
static gpa_t fetch_address(struct x86_cpu *cpu)
{
	if (cpu->eip > cpu->segment[X86_CS].limit)
		x86_raise_code(cpu, X86_GP, 0);
	return x86_translate_code(cpu, x86_code_linear(cpu, cpu->eip));
}

struct x86_block *x86_find_block(struct x86_cpu *cpu)
{
	struct x86_block **jump = &cpu->jump[cpu->eip % X86_JUMP_ENTRIES];
	struct x86_cache *cache = cpu->cache;
	struct x86_block *block, **bucket;
	gpa_t gpa;

	if ((*jump)->eip == cpu->eip && (*jump)->generation == cpu->map_generation)
		return *jump;
	gpa = fetch_address(cpu);
	if (X86_UNLIKELY(cpu->system->debug != NULL) && x86_debug_has(cpu->system, gpa))
		return cache->dead;
	block = find_decoded(cpu, gpa);
	if (block == NULL && !is_ram(cpu, gpa))
		return x86_build_once(cpu, gpa, NULL);
	if (block == NULL) {
		make_room(cpu);
		block = (struct x86_block *)(cache->pool + cache->used);
		x86_build_block(cpu, block, gpa, X86_BLOCK_MAX, false);
		allocate(cache, (size_t)((uint8_t *)(x86_block_ops(block) + block->slots) -
					 (uint8_t *)block));
		bucket = hash_bucket(cache, gpa);
		block->next_hash = *bucket;
		*bucket = block;
		list_block(cpu, block);
		x86_account_add(cpu, block);
	}
	block->generation = cpu->map_generation;
	block->cs_base = (uint32_t)cpu->segment[X86_CS].base;
	*jump = block;
	return block;
}

struct x86_block *x86_next_block(struct x86_cpu *cpu, struct x86_insn *from)
{
	uint64_t flushes = cpu->cache->flushes;
	struct x86_block *block;

	if (cpu->budget <= 0)
		return NULL;
	block = x86_find_block(cpu);
	/* It cost too much. The next time it is found at once. */
	if (cpu->break_asked || block == cpu->cache->dead)
		return NULL;
	if (from != NULL && flushes == cpu->cache->flushes && block != cpu->cache->once)
		from->link = block;
	return block;
}

/* --- life ------------------------------------------------------------------------------------- */

int x86_cache_init(struct x86_cpu *cpu)
{
	struct x86_cache *cache = calloc(1, sizeof *cache);

	cpu->cache = cache;
	if (cache == NULL)
		return -ENOMEM;
	cache->pool = aligned_alloc(64, X86_POOL_SIZE);
	cache->dead = aligned_alloc(64, (sizeof *cache->dead + 63) & ~(size_t)63);
	cache->once = aligned_alloc(64, (X86_BLOCK_BYTES + 63) & ~(size_t)63);
	if (cache->pool == NULL || cache->dead == NULL || cache->once == NULL) {
		x86_cache_free(cpu);
		return -ENOMEM;
	}
	*cache->dead = (struct x86_block){0};
	*cache->once = (struct x86_block){0};
	cpu->map_generation = 1;
	x86_cache_flush(cpu);
	return 0;
}

void x86_cache_free(struct x86_cpu *cpu)
{
	if (cpu->cache == NULL)
		return;
	free(cpu->cache->pool);
	free(cpu->cache->dead);
	free(cpu->cache->once);
	free(cpu->cache);
	cpu->cache = NULL;
}
