/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "x86/debug.h"
#include "x86/physical.h"
#include "x86/walk.h"
#include "x86/x86.h"

/* --- TLB -------------------------------------------------------------------------------------- */

#define TLB_INDEX(linear) ((linear) / X86_PAGE_SIZE % X86_TLB_ENTRIES)
/* x86_charge(): to walk the tables and for each CPU, whose decoded code is looked at; and to look
 * at the whole TLB. */
#define COST_WALK         8
#define COST_CPU          4
#define COST_FLUSH        128

#define LARGE_MAX 0x400000u /* bytes of the largest page */

static uint64_t page_of(uint64_t linear)
{
	return linear & X86_PAGE_MASK;
}

static void empty_entry(struct x86_tlb_entry *entry)
{
	entry->read = X86_TLB_EMPTY;
	entry->write = X86_TLB_EMPTY;
}

void x86_tlb_flush(struct x86_cpu *cpu, bool keep_global)
{
	x86_charge(cpu, COST_FLUSH);
	for (unsigned table = 0; table < 2; table++)
		for (unsigned i = 0; i < X86_TLB_ENTRIES; i++) {
			struct x86_tlb_entry *entry = &cpu->tlbs[table][i];

			if (!keep_global || !entry->is_global)
				empty_entry(entry);
		}
	if (!keep_global)
		cpu->tlb_large = false;
}

/* A large page has an entry for each part of it that was accessed, and INVLPG of any address in it
 * invalidates all of them (SDM 3, 4.10.2.3 and 4.10.4.1). */
static void flush_around(struct x86_tlb_entry *entry, uint64_t linear)
{
	if (entry->read / LARGE_MAX == linear / LARGE_MAX)
		empty_entry(entry);
}

void x86_tlb_flush_page(struct x86_cpu *cpu, uint64_t linear)
{
	if (cpu->tlb_large)
		x86_charge(cpu, COST_FLUSH);
	for (unsigned table = 0; table < 2; table++) {
		struct x86_tlb_entry *entry = &cpu->tlbs[table][TLB_INDEX(linear)];

		if (entry->read == page_of(linear))
			empty_entry(entry);
		for (unsigned i = 0; cpu->tlb_large && i < X86_TLB_ENTRIES; i++)
			flush_around(&cpu->tlbs[table][i], linear);
	}
}

void x86_tlb_protect(struct x86_system *system, gpa_t gpa)
{
	const void *host = gmem_ptr(system->gmem, page_of(gpa), X86_PAGE_SIZE, GMEM_READ);

	for (unsigned n = 0; host && n < system->cpu_count; n++)
		for (unsigned i = 0; i < 2 * X86_TLB_ENTRIES; i++) {
			struct x86_tlb_entry *entry = &system->cpus[n].tlbs[i % 2][i / 2];

			if (entry->write != X86_TLB_EMPTY &&
				entry->write + entry->addend == (uintptr_t)host)
				entry->write = X86_TLB_EMPTY;
		}
}

/* --- translation ------------------------------------------------------------------------------ */

/* Whether an access is one of user mode (SDM 3, 4.6.1). */
static bool is_user_access(const struct x86_cpu *cpu, unsigned access)
{
	return cpu->cpl == 3 && !(access & X86_SYSTEM);
}

static struct x86_tlb_entry *find_entry(struct x86_cpu *cpu, uint64_t linear, unsigned access)
{
	return &cpu->tlbs[is_user_access(cpu, access)][TLB_INDEX(linear)];
}

/* SDM 3, 4.6.1. Without paging nothing restricts an access, and no flag of CR4 counts. */
static bool is_permitted(const struct x86_cpu *cpu, const struct x86_walk *walk, unsigned access)
{
	bool is_write = access & X86_WRITE;

	if (!(cpu->cr0 & X86_CR0_PG))
		return true;
	if (access & X86_EXECUTE && !walk->is_executable)
		return false;
	if (is_user_access(cpu, access))
		return walk->is_user && (walk->is_writable || !is_write);
	if (walk->is_user && access & X86_EXECUTE)
		return !(cpu->cr4 & X86_CR4_SMEP);
	if (walk->is_user && cpu->cr4 & X86_CR4_SMAP &&
		(access & X86_SYSTEM || !(cpu->eflags & X86_AC)))
		return false;
	return !is_write || walk->is_writable || !(cpu->cr0 & X86_CR0_WP);
}

static _Noreturn void raise_fault(
	struct x86_cpu *cpu, uint64_t linear, unsigned access, uint32_t error)
{
	bool tells_fetch =
		cpu->cr4 & X86_CR4_SMEP || (cpu->cr4 & X86_CR4_PAE && cpu->efer & X86_EFER_NXE);

	if (access & X86_WRITE)
		error |= X86_PF_WRITE;
	if (is_user_access(cpu, access))
		error |= X86_PF_USER;
	if (access & X86_EXECUTE && tells_fetch)
		error |= X86_PF_FETCH;
	x86_raise_page_fault(cpu, linear, error);
}

static bool is_watched(const struct x86_cpu *cpu, gpa_t gpa, enum x86_access access)
{
	return (X86_UNLIKELY(cpu->system->debug != NULL) &&
		       x86_debug_watches_page(cpu->system, gpa, access)) ||
	       x86_page_is_watched(cpu->system, gpa);
}

/*
 * Remember a translation for accesses of this kind. A write tag comes along with a read, if the
 * page is dirty already: else the first write must come here to set the flag. gmem_ptr() announces
 * a write of the whole page, so it is called only when there is no code to lose.
 */
static void fill_entry(
	struct x86_cpu *cpu, uint64_t linear, unsigned access, const struct x86_walk *walk)
{
	struct x86_tlb_entry *entry = find_entry(cpu, linear, access);
	const struct gmem *gmem = cpu->system->gmem;
	gpa_t gpa = page_of(walk->gpa);
	const void *host = gmem_ptr(gmem, gpa, X86_PAGE_SIZE, GMEM_READ);

	if (!host || is_watched(cpu, gpa, X86_READ))
		return;
	if (walk->is_user && cpu->cr0 & X86_CR0_PG && cpu->cr4 & X86_CR4_SMAP &&
		!is_user_access(cpu, access))
		return;
	entry->read = page_of(linear);
	entry->write = X86_TLB_EMPTY;
	entry->addend = (uintptr_t)host - entry->read;
	entry->is_global = walk->is_global;
	cpu->tlb_large |= walk->is_large;
	if ((access & X86_WRITE ||
		    (walk->is_dirty && is_permitted(cpu, walk, access | X86_WRITE))) &&
		!x86_page_has_code(cpu->system, gpa) && !is_watched(cpu, gpa, X86_WRITE) &&
		gmem_ptr(gmem, gpa, X86_PAGE_SIZE, GMEM_WRITE))
		entry->write = entry->read;
}

static gpa_t translate(struct x86_cpu *cpu, uint64_t linear, unsigned access)
{
	struct x86_walk walk;

	x86_charge(cpu, COST_WALK + COST_CPU * cpu->system->cpu_count);
	if (!x86_walk(cpu, cpu, linear, &walk))
		raise_fault(cpu, linear, access, walk.error);
	if (!is_permitted(cpu, &walk, access))
		raise_fault(cpu, linear, access, X86_PF_PRESENT);
	x86_walk_mark(cpu, &walk, access & X86_WRITE);
	if (!(access & X86_EXECUTE))
		fill_entry(cpu, linear, access, &walk);
	return walk.gpa;
}

gpa_t x86_translate_code(struct x86_cpu *cpu, uint64_t linear)
{
	return translate(cpu, linear, X86_EXECUTE);
}

int x86_translate(const struct x86_cpu *cpu, uint64_t linear, gpa_t *gpa)
{
	struct x86_walk walk;

	if (!x86_walk(cpu, NULL, linear, &walk))
		return -EFAULT;
	*gpa = walk.gpa;
	return 0;
}

/* --- loads and stores ------------------------------------------------------------------------- */

/* Bytes of an access that lie in the page where it begins. */
static unsigned bytes_in_page(uint64_t linear, unsigned size)
{
	unsigned left = X86_PAGE_SIZE - (unsigned)(linear & ~X86_PAGE_MASK);

	return size < left ? size : left;
}

static uint64_t next_page(uint64_t linear)
{
	return (page_of(linear) + X86_PAGE_SIZE) & X86_LINEAR_MASK;
}

uint64_t x86_load_linear(
	struct x86_cpu *cpu, uint64_t linear, unsigned size, enum x86_access access)
{
	unsigned first = bytes_in_page(linear, size);
	const struct x86_tlb_entry *entry = find_entry(cpu, linear, access);
	uint64_t value = 0;
	gpa_t low, high;

	if (first == size) {
		if (entry->read != page_of(linear))
			return x86_physical_load(cpu, translate(cpu, linear, access), size);
		return x86_host_load((const void *)(uintptr_t)(entry->addend + linear), size);
	}
	/* Both parts are translated before either is loaded: a device must not see a load that is
	 * made again after a page fault. */
	low = translate(cpu, linear, access);
	high = translate(cpu, next_page(linear), access);
	value = x86_physical_load(cpu, low, first);
	return value | x86_physical_load(cpu, high, size - first) << 8 * first;
}

void x86_store_linear(
	struct x86_cpu *cpu, uint64_t linear, uint64_t value, unsigned size, enum x86_access access)
{
	unsigned kind = (unsigned)access | X86_WRITE;
	unsigned first = bytes_in_page(linear, size);
	const struct x86_tlb_entry *entry = find_entry(cpu, linear, kind);
	gpa_t low, high;

	if (first == size && entry->write == page_of(linear)) {
		x86_host_store((void *)(uintptr_t)(entry->addend + linear), value, size);
		return;
	}
	low = translate(cpu, linear, kind);
	high = first < size ? translate(cpu, next_page(linear), kind) : 0;
	x86_physical_store(cpu, low, value, first);
	if (first < size)
		x86_physical_store(cpu, high, value >> 8 * first, size - first);
}

void x86_mark_linear(struct x86_cpu *cpu, uint64_t linear, uint8_t value)
{
	gpa_t gpa = translate(cpu, linear, X86_WRITE | X86_SYSTEM);

	x86_physical_mark(cpu, gpa, value, 1);
}

void x86_check_write(struct x86_cpu *cpu, uint64_t linear, unsigned size, enum x86_access access)
{
	unsigned kind = (unsigned)access | X86_WRITE;

	while (size > 0) {
		unsigned part = bytes_in_page(linear, size);

		if (find_entry(cpu, linear, kind)->write != page_of(linear))
			translate(cpu, linear, kind);
		linear = next_page(linear);
		size -= part;
	}
}

uint64_t x86_load_slow(struct x86_cpu *cpu, uint64_t linear, unsigned size)
{
	return x86_load_linear(cpu, linear, size, X86_READ);
}

void x86_store_slow(struct x86_cpu *cpu, uint64_t linear, uint64_t value, unsigned size)
{
	x86_store_linear(cpu, linear, value, size, X86_WRITE);
}
