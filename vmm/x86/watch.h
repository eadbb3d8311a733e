/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_WATCH_H
#define VMM_X86_WATCH_H

/*
 * Pages of guest memory whose loads and stores somebody is told of. The TLB has no tags for them,
 * so that each access takes the slow path, which is where the watch is; all other accesses cost
 * what they cost without one.
 */

#include <stdbool.h>

#include "x86/x86.h"

/* An access to memory that has just been made, of 1 to 8 bytes within a page. */
struct x86_seen {
	gpa_t gpa;
	unsigned size;
	bool is_write;
	bool is_ordered; /* since the CPU's access before this one to a watched page it has executed
			  * what orders a store before a later load (SDM 3, 9.2.3.4 and 9.3):
			  * MFENCE, an instruction that locks, a serializing one, IN or OUT, or it
			  * has taken an interrupt; or it has executed so much that this is not
			  * known */
};

typedef void x86_accessed(void *ctx, struct x86_cpu *cpu, const struct x86_seen *access);

/* Where a CPU was. */
struct x86_mark {
	uint64_t entry, eip, count;
	uint8_t trail_at;
};

struct x86_watch {
	x86_accessed *accessed;
	void *ctx;
	uint32_t pages[(UINT64_C(1) << 32) / X86_PAGE_SIZE / 32]; /* x86_system.watched_pages */
	struct x86_mark marks[]; /* of each CPU: at its last access */
};

/* Watches all pages that [gpa, gpa + len) is in, below 4 GiB; the first call sets who is told: that
 * stays so. Returns 0 or -ENOMEM. In a callback of a CPU, or between runs. */
int x86_watch(
	struct x86_system *system, gpa_t gpa, uint64_t len, x86_accessed *accessed, void *ctx);

/* Undoes all. */
void x86_watch_free(struct x86_system *system);

#endif
