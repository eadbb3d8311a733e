/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_BLOCK_H
#define VMM_X86_BLOCK_H

/*
 * A CPU's cache of decoded blocks. Blocks are allocated one behind the other from a pool. Nothing
 * in it is ever freed alone: a block that was killed has generation 0 and stays until the pool is
 * full and all of it is flushed, also in the lists of the hash table and of its pages, from which
 * the next one who walks them takes it. Only looking up a block flushes, and whoever looks one up
 * has left the block before.
 *
 * A block is found by EIP in cpu->jump, else by guest-physical address and mode in the hash table.
 * It is valid while its generation is the CPU's. x86_mode_changed() raises the CPU's, and then a
 * block becomes valid again by being found in the hash table, which looks at the present mapping.
 */

#include "x86/insn.h"

#define X86_POOL_SIZE    (4u << 20)
#define X86_HASH_BUCKETS 4096
#define X86_PAGE_BUCKETS 1024
#define X86_BLOCK_BYTES \
	(sizeof(struct x86_block) + X86_SLOTS_MAX * (sizeof(struct x86_insn) + sizeof(uint16_t)))

/* A guest-physical page with decoded code. lines has a bit for each 64 bytes that blocks were
 * decoded from, so that most stores to data beside code need not look at the blocks. */
struct x86_code_page {
	gpa_t gpa;
	uint64_t lines;
	struct x86_block *blocks;
	struct x86_code_page *next;
};

struct x86_cache {
	struct x86_block *hash[X86_HASH_BUCKETS];
	struct x86_code_page *pages[X86_PAGE_BUCKETS];
	uint8_t *pool; /* X86_POOL_SIZE bytes */
	size_t used;
	uint64_t flushes;
	struct x86_block *dead; /* never valid: what empty places and unset links point to */
	struct x86_block *once; /* room for a block that is executed once and not found again ... */
	struct x86_block *once_from; /* ... and the one that it is the beginning of, or NULL */
	struct x86_insn detour[2];
};

/* Make an empty cache for a CPU, or free it. 0 or -ENOMEM. */
int x86_cache_init(struct x86_cpu *cpu);
void x86_cache_free(struct x86_cpu *cpu);

/* Forget all blocks. */
void x86_cache_flush(struct x86_cpu *cpu);

/* The block at cpu->eip, decoded if need be; cpu->insn is NULL. It is cache->dead if a debugger's
 * breakpoint is there. Raises #PF and #GP as fetching does (SDM 3, 5.3, 6.15). */
struct x86_block *x86_find_block(struct x86_cpu *cpu);

/* A block for one execution that does what the given one does, but stops after count of its
 * instructions or one less; count is not 0, and less than the block's. It is valid until this
 * function or x86_find_block() is called again. In stop.c. */
struct x86_block *x86_stop_block(struct x86_cpu *cpu, struct x86_block *block, unsigned count);

/* The block for one execution is about to become another one. */
void x86_settle_once(struct x86_cpu *cpu);

/* Decode the instruction at cpu->eip, which is at gpa, for one execution. from: the block that
 * begins there, or NULL if this is not RAM. */
struct x86_block *x86_build_once(struct x86_cpu *cpu, gpa_t gpa, struct x86_block *from);

/* Decode a block at cpu->eip, which is at gpa, into memory of X86_BLOCK_BYTES. Not listed anywhere
 * yet. At most max instructions; is_stop: it stops at their end. In build.c. */
void x86_build_block(
	struct x86_cpu *cpu, struct x86_block *block, gpa_t gpa, unsigned max, bool is_stop);

/* The mode that code is decoded for, and its linear address. */
static inline unsigned x86_decode_mode(const struct x86_cpu *cpu)
{
	return (cpu->segment[X86_CS].rights & X86_SEGMENT_DB ? X86_MODE_CODE32 : 0) |
	       (cpu->segment[X86_SS].rights & X86_SEGMENT_DB ? X86_MODE_STACK32 : 0) |
	       (x86_segments_are_flat(cpu) ? X86_MODE_FLAT : 0);
}

static inline uint64_t x86_code_linear(const struct x86_cpu *cpu, uint64_t eip)
{
	return (uint32_t)(cpu->segment[X86_CS].base + eip);
}

#endif
