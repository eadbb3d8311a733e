/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_H
#define VMM_X86_H

/*
 * One CPU of the software engine: the architectural state, and what the parts of vmm/x86/ call of
 * each other. "SDM" is the Intel 64 and IA-32 Architectures Software Developer's Manual, December
 * 2023.
 *
 *	decode.c, operations   instructions become blocks of operations      (SDM 2)
 *	block.c, run.c         cache of blocks, run loop, exact counts
 *	mmu.c                  linear addresses to guest memory, TLB         (SDM 3, 4)
 *	segment.c, far.c, gate.c, task.c   segmentation, far transfers, interrupts, tasks
 *	                                                                     (SDM 3, 3, 5, 6, 8)
 *	system.c, cpuid.c, msr.c           control registers and the like    (SDM 3, 2)
 *	soft.c                 the engine: CPUs in turn, time, interrupts
 *
 * All CPUs of a machine take turns on one thread, which serves the devices as well. Nothing here
 * is locked, and guest memory is accessed by plain loads and stores.
 *
 * Faults. Whatever a guest does wrong leaves the current instruction by x86_raise(), a longjmp() to
 * the run loop, which delivers the exception. An operation therefore makes its last access that can
 * fault before it changes a register: then the instruction can be restarted (SDM 3, 6.5).
 */

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gmem.h"
#include "x86/registers.h"

#define X86_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define X86_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* An exception on its way (SDM 3, 6.13). */
struct x86_exception {
	unsigned vector; /* X86_NO_VECTOR: none */
	bool has_error;
	uint32_t error;
	uint64_t cr2; /* #PF: the linear address */
	uint64_t eip; /* of the instruction that raised it */
};

/* How an access is meant, for mmu.c. */
enum x86_access {
	X86_READ = 0,
	X86_WRITE = 1,
	X86_EXECUTE = 2,
	X86_SYSTEM =
		4, /* with one of the above: as CPL 0, whatever the CPL: descriptor tables, TSS */
};

/* What this CPU does not have, noted when the guest wants it, so that a report can name it. */
enum x86_missing {
	X86_MISSING_NOTHING,
	X86_MISSING_VIRTUAL_8086, /* IRET or a task switch with EFLAGS.VM set */
	X86_MISSING_LONG_MODE,    /* WRMSR of EFER.LME */
	X86_MISSING_FPU,          /* x87 instructions; #NM or #UD follows */
	X86_MISSING_SIMD,         /* MMX, SSE and later; #UD follows */
};

struct x86_account;
struct x86_block;
struct x86_cache;
struct x86_debug;
struct x86_cpu;
struct x86_insn;
struct x86_operands;

/*
 * What a CPU needs of its surroundings; ctx is system->ctx. Functions that return false say: the
 * machine is ending, or the CPU cannot go on. The current instruction is then abandoned without an
 * effect, and x86_run() returns X86_STOP_ENDED.
 */
struct x86_bus {
	/* An access of len bytes (1, 2 or 4) to a port. */
	bool (*port)(void *ctx, struct x86_cpu *cpu, uint16_t port, bool is_write, uint32_t *value,
		unsigned len);

	/* An access of len bytes (1 to 8), within a page, to what is not RAM, or a store to
	 * read-only RAM. */
	bool (*mmio)(void *ctx, struct x86_cpu *cpu, uint64_t gpa, bool is_write, uint64_t *value,
		unsigned len);

	/* The vector of the interrupt that this CPU is to take now, which is thereby acknowledged;
	 * -1: there is none. Called only while the CPU can take one. */
	int (*acknowledge)(void *ctx, struct x86_cpu *cpu);

	/* The time-stamp counter, now. */
	uint64_t (*tsc)(void *ctx, struct x86_cpu *cpu);

	/* MSRs of the local APIC: IA32_APIC_BASE, IA32_TSC_DEADLINE. False here: #GP. */
	bool (*read_msr)(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t *value);
	bool (*write_msr)(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t value);
};

/* All CPUs of a machine, and what they share. Owned by soft.c, or by a test. */
struct x86_system {
	const struct gmem *gmem; /* RAM, read-only where the guest may only read */
	const struct x86_bus *bus;
	void *ctx;
	uint32_t tsc_khz, apic_khz; /* of the time-stamp counter and the APIC timer; not 0 */
	unsigned cpu_count;
	struct x86_cpu *cpus;

	struct x86_account *account; /* account.h; NULL: none. Set before the CPUs are made. Not
				      * owned */

	/* What the host has done since x86_run() was entered that the count of instructions does
	 * not tell, in units of about what a simple instruction takes; and how much of it ends
	 * x86_run(), 0: none does. See x86_charge(). */
	int64_t cost, cost_max;

	uint32_t *watched_pages; /* a bit for each below 4 GiB; NULL: none is watched */
	struct x86_watch *watch; /* pages whose accesses are told of: watch.h; NULL: there are none.
				  * Owned by soft.c */
	struct x86_debug *debug; /* places to stop at: debug.h; NULL: there are none. Not owned */
};

#define X86_PAGE_SIZE 4096u
#define X86_PAGE_MASK (~(uint64_t)(X86_PAGE_SIZE - 1))

/* Entries of the TLB, indexed by the page's number, and of the table of blocks by EIP: powers of
 * two. */
#define X86_TLB_ENTRIES  256
#define X86_JUMP_ENTRIES 2048

/*
 * One page of 4 KiB. A tag is the linear address of the page, or X86_TLB_EMPTY; it is present only
 * if the access is permitted, is to RAM, and needs no other notice: a page with decoded code never
 * has a write tag, and one that is watched (watch.h) has none at all. addend plus a linear address
 * is a pointer into host memory.
 *
 * A CPU has two such tables, since what CPL 3 may do differs from what the others may (SDM 3, 4.6):
 * cpu->tlb points to that of the current privilege. So a change of rings costs one store, a kernel
 * finds its entries again after each system call, and an access of the CPU's own to its descriptor
 * tables uses those of the supervisor whatever the CPL. The table of the supervisor has no entry
 * for a user page while CR4.SMAP is set, because EFLAGS.AC decides about each access.
 */
struct x86_tlb_entry {
	uint64_t read, write;
	uintptr_t addend;
	uint64_t is_global; /* 0 or 1; 64 bits make the entry a power of two in size */
};
#define X86_TLB_EMPTY UINT64_MAX

/* Entries of x86_cpu.trail: so many that x86_cpu.trail_at wraps at its end. */
#define X86_TRAIL_ENTRIES (256 / sizeof(uint64_t))

/* Exceptions that can lead to a triple fault: a benign one, and those of table 6-5 (SDM 3) with
 * what each delivery raises. */
#define X86_FAULTS_MAX 6

struct x86_cpu {
	/* What operations touch most comes first. */
	uint64_t reg[X86_REGISTERS];

	/* The arithmetic flags, computed only when someone looks: see flags.h. */
	int64_t flags_result;
	uint64_t flags_carry;

	uint64_t eip;            /* between blocks and in out-of-line operations; x86_position() */
	uint64_t next_eip;       /* where execution goes on */
	uint32_t eflags;         /* without X86_ARITHMETIC; bit 1 set */
	uint32_t map_generation; /* blocks of another generation are looked up again */
	int64_t budget;          /* instructions that x86_run() may still execute ... */
	int64_t withheld;        /* ... and a part of these that the run loop shall not see */
	struct x86_insn *insn;
	uint64_t trail[X86_TRAIL_ENTRIES]; /* blocks that were entered last, a ring: trail.h */
	uint8_t trail_at;                  /* where the current block is in it, in bytes */
	struct x86_tlb_entry *tlb; /* of the current privilege: tlbs[cpl == 3]; x86_set_cpl() */
	struct x86_tlb_entry tlbs[2][X86_TLB_ENTRIES];
	bool tlb_large;                           /* an entry is part of a page of 2 or 4 MiB */
	struct x86_block *jump[X86_JUMP_ENTRIES]; /* by EIP; never NULL. Owned by block.c */

	struct x86_segment segment[X86_SEGMENTS], ldtr, tr;
	struct x86_table gdtr, idtr;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t pdpte[4]; /* with PAE: as loaded with CR3 (SDM 3, 4.4.1) */
	uint64_t dr[8];
	uint64_t bus_accesses; /* loads and stores that were no access to RAM */
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, pat, misc_enable, tsc_offset, tsc_aux;
	uint8_t cpl;  /* x86_set_cpl() */
	bool is_flat; /* see x86_segments_are_flat() */

	bool leave;       /* leave the block after this instruction: code was overwritten, or ... */
	bool break_asked; /* ... x86_run() returns, too: x86_break(), x86_charge(), a debugger */
	bool cut;         /* leave a repeated string instruction, too, after this element */
	bool halted;      /* HLT: until an interrupt, NMI or INIT */
	bool shadow;      /* STI, MOV SS: no interrupt before the next instruction is over */
	bool nmi_pending, nmi_masked;
	bool yielded;         /* PAUSE: others may have their turn */
	bool interrupts_held; /* by a debugger's step: neither interrupts nor NMIs are taken */

	uint8_t missing;      /* enum x86_missing: what the guest last wanted in vain ... */
	uint64_t missing_eip; /* ... and by which instruction */
	bool saves_task;      /* a task switch is writing to TSSs; valid in the bus's mmio() */
	bool refused;         /* x86_refuse() ended the run, because of missing */

	uint64_t instructions; /* completed up to the last return of x86_run() */
	int64_t quantum;       /* budget with which x86_run() was entered; see x86_count() */

	/* The exceptions that led here: the last one first; for the report of a triple fault.
	 * fault_count is 0 as soon as one was delivered. */
	unsigned fault_count;
	struct x86_exception faults[X86_FAULTS_MAX];

	struct x86_system *system;
	struct x86_cache *cache; /* of decoded blocks; owned by block.c */
	unsigned id;
	jmp_buf env;         /* where x86_raise() goes */
	unsigned delivering; /* the vector that is being delivered, or X86_NO_VECTOR */
	unsigned nested;     /* exceptions that this delivery has raised, the first one included */
	struct x86_exception raised;
};

/* --- run.c ------------------------------------------------------------------------------------ */

enum x86_stop {
	X86_STOP_BUDGET,   /* the budget is used up, to the last instruction */
	X86_STOP_YIELD,    /* PAUSE, or x86_break(): it goes on when it is run again */
	X86_STOP_HALTED,   /* HLT */
	X86_STOP_SHUTDOWN, /* a triple fault; cpu->faults tells of it */
	X86_STOP_DEBUG,    /* a breakpoint: it is at the next instruction (debug.h) */
	X86_STOP_ENDED,    /* the bus refused an access, or cpu->refused is set */
};

/* Make a CPU as it comes out of reset (SDM 3, 10.1.1), but with interrupts of system. Undone by
 * x86_cpu_free(). 0 or -ENOMEM. */
int x86_cpu_init(struct x86_cpu *cpu, struct x86_system *system, unsigned id);
void x86_cpu_free(struct x86_cpu *cpu);

/* The state after RESET, or after INIT, which leaves some of it alone (SDM 3, table 10-1). In
 * reset.c. Asks for nothing but system and id; the TLB is empty afterwards. */
void x86_cpu_reset(struct x86_cpu *cpu, bool is_init);

/* Execute at most budget instructions, exactly counted: cpu->instructions grows by what was
 * executed. Takes interrupts at the start, and whenever IF or the priority changes. */
enum x86_stop x86_run(struct x86_cpu *cpu, int64_t budget);

/* Instructions executed so far. Exact in a bus function and in an out-of-line operation. */
uint64_t x86_count(const struct x86_cpu *cpu);

/* EIP of the current instruction, or of the next one between x86_run()s. Exact in a bus function,
 * where cpu->eip may still be that of an earlier instruction of the block. */
uint64_t x86_position(const struct x86_cpu *cpu);

/* From a bus function: x86_run() is to return after the current instruction. */
void x86_break(struct x86_cpu *cpu);

/*
 * Some instructions take the host a thousand times as long as others: accesses to devices, repeated
 * strings, code that overwrites itself. Such work is charged, so that x86_run() returns in about
 * the same time whatever the guest does: after cost_max. What is charged depends on what the host
 * has decoded, so it changes nothing that the guest could tell: a repeated string instruction goes
 * on, and soft_run.c has the CPU's turn go on.
 */
static inline void x86_charge(struct x86_cpu *cpu, int64_t cost)
{
	cpu->system->cost += cost;
	if (cpu->system->cost_max != 0 && cpu->system->cost > cpu->system->cost_max)
		cpu->leave = cpu->break_asked = true;
}

/* Leave the current instruction with an exception. x86_raise_code() has an error code. cr2 is set
 * by x86_raise_page_fault(), which mmu.c alone calls. x86_abandon() leaves it without one: the
 * machine ends. */
_Noreturn void x86_raise(struct x86_cpu *cpu, unsigned vector);
_Noreturn void x86_raise_code(struct x86_cpu *cpu, unsigned vector, uint32_t error);
_Noreturn void x86_raise_page_fault(struct x86_cpu *cpu, uint64_t linear, uint32_t error);
_Noreturn void x86_abandon(struct x86_cpu *cpu);

/* Note that the current instruction wants what is missing; what happens to it is another matter. */
static inline void x86_note_missing(struct x86_cpu *cpu, enum x86_missing missing)
{
	cpu->missing = (uint8_t)missing;
	cpu->missing_eip = cpu->eip;
}

/* x86_abandon(), since the guest cannot go on without what is missing; in reset.c. */
_Noreturn void x86_refuse(struct x86_cpu *cpu, enum x86_missing missing);

/* EFLAGS as a whole; and set the bits of mask, arithmetic ones too. */
uint32_t x86_eflags(const struct x86_cpu *cpu);
void x86_set_eflags(struct x86_cpu *cpu, uint32_t value, uint32_t mask);

/* Something that decoding depends on has changed: mode, paging, CS, whether segments are flat. All
 * links and blocks are looked up again; x86_tlb_flush() is a matter of its own. */
void x86_mode_changed(struct x86_cpu *cpu);

/* --- block.c ---------------------------------------------------------------------------------- */

/* [gpa, gpa + len) is being written by whomever, a device or a CPU: no block of any CPU that was
 * decoded from there is used from now on. Fits struct gmem's observer: ctx is the x86_system. */
void x86_memory_written(void *ctx, gpa_t gpa, uint64_t len);

/* Whether any CPU has decoded code in this page; then mmu.c gives out no write tag for it. */
bool x86_page_has_code(const struct x86_system *system, gpa_t gpa);

/* --- watch.c ---------------------------------------------------------------------------------- */

/* Whether somebody is told of accesses to this page; then mmu.c gives out no tag for it. */
static inline bool x86_page_is_watched(const struct x86_system *system, gpa_t gpa)
{
	uint64_t page = gpa / X86_PAGE_SIZE;

	return __builtin_expect(system->watched_pages != NULL, 0) && gpa <= UINT32_MAX &&
	       system->watched_pages[page / 32] >> page % 32 & 1;
}

/* Tells of an access to such a page, which has just been made. */
void x86_watch_tell(struct x86_cpu *cpu, gpa_t gpa, unsigned size, bool is_write);

/* --- mmu.c ------------------------------------------------------------------------------------ */

/* Drop all entries of the TLB; or those of one page; or the write tags of a guest-physical page
 * on all CPUs. keep_global: as a load of CR3 (SDM 3, 4.10.4.1). */
void x86_tlb_flush(struct x86_cpu *cpu, bool keep_global);
void x86_tlb_flush_page(struct x86_cpu *cpu, uint64_t linear);
void x86_tlb_protect(struct x86_system *system, gpa_t gpa);

/*
 * Loads and stores by linear address, size 1, 2, 4 or 8 bytes, at any alignment, over page
 * borders; access is X86_READ or X86_WRITE, with X86_SYSTEM or not. RAM, devices, read-only memory
 * and holes alike. They raise #PF. A store that faults has stored nothing.
 */
uint64_t x86_load_linear(
	struct x86_cpu *cpu, uint64_t linear, unsigned size, enum x86_access access);
void x86_store_linear(struct x86_cpu *cpu, uint64_t linear, uint64_t value, unsigned size,
	enum x86_access access);

/* Store a byte that the CPU writes of its own accord, an accessed or busy bit, as
 * x86_physical_mark() does. Raises #PF as a store with X86_SYSTEM. */
void x86_mark_linear(struct x86_cpu *cpu, uint64_t linear, uint8_t value);

/* Raise the #PF that such a store would raise, and store nothing. */
void x86_check_write(struct x86_cpu *cpu, uint64_t linear, unsigned size, enum x86_access access);

/* The slow path of every load and store of an operation: the TLB has no tag. It fills the TLB where
 * that is possible. A store to RAM calls x86_memory_written(), which sets cpu->leave if decoded
 * code of the current block was hit. */
uint64_t x86_load_slow(struct x86_cpu *cpu, uint64_t linear, unsigned size);
void x86_store_slow(struct x86_cpu *cpu, uint64_t linear, uint64_t value, unsigned size);

/* The guest-physical address to fetch code from; raises #PF (instruction fetch). */
gpa_t x86_translate_code(struct x86_cpu *cpu, uint64_t linear);

/* The guest-physical address of a linear one, without side effects, for reports and debuggers. 0
 * or -EFAULT. */
int x86_translate(const struct x86_cpu *cpu, uint64_t linear, gpa_t *gpa);

/* --- segment.c -------------------------------------------------------------------------------- */

/* The linear address of [offset, offset + size) in a segment for this access; raises #GP(0), or
 * #SS(0) for SS (SDM 3, 5.3). */
uint64_t x86_linear(struct x86_cpu *cpu, enum x86_segment_register segment, uint64_t offset,
	unsigned size, enum x86_access access);

/* Load a data segment register, SS or (by MOV, POP, LDS and the like) any but CS (SDM 3, 5.5, 5.7;
 * in real mode 21.1). Raises #GP, #SS, #NP, #PF. */
void x86_load_segment(struct x86_cpu *cpu, enum x86_segment_register segment, uint16_t selector);

/* CS, DS, ES and SS have base 0 and limit 4 GiB and allow what code does with them: blocks are
 * decoded without checks of segments, except for stores with a CS override and all use of FS and
 * GS. Kept in cpu->is_flat by x86_set_segment(). */
static inline bool x86_segments_are_flat(const struct x86_cpu *cpu)
{
	return cpu->is_flat;
}

/* Change a segment register without a check; calls x86_mode_changed() where decoding depends on
 * it. Whoever sets up a CPU uses it, too. */
void x86_set_segment(
	struct x86_cpu *cpu, enum x86_segment_register number, const struct x86_segment *segment);

/* Change the privilege level, the TLB that belongs to it, and what decoding depends on. */
void x86_set_cpl(struct x86_cpu *cpu, uint8_t cpl);

/* The I/O permission bit map: raises #GP(0) if CPL is above IOPL and the task has no permission
 * for [port, port + len) (SDM 1, 19.5.2). In task.c. */
void x86_check_port(struct x86_cpu *cpu, uint16_t port, unsigned len);

/* --- gate.c ----------------------------------------------------------------------------------- */

/* How an interrupt comes (SDM 3, 6.4): it decides privilege checks, error code and return
 * address. */
enum x86_interrupt_kind {
	X86_EXTERNAL, /* or NMI: returns to next_eip */
	X86_SOFTWARE, /* INT n, INT3, INTO: DPL is checked; returns to next_eip */
	X86_FAULT,    /* returns to eip */
	X86_TRAP,     /* #DB after an instruction: returns to next_eip */
};

/* Deliver an interrupt or exception through the IDT, real mode's or protected mode's. Raises what
 * goes wrong on the way; on return cpu->next_eip is the handler's first instruction. */
void x86_interrupt(struct x86_cpu *cpu, unsigned vector, enum x86_interrupt_kind kind,
	bool has_error, uint32_t error);

#endif
