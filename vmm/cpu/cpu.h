/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_H
#define VMM_CPU_H

/*
 * A CPU as the machine sees it, with every engine. An engine (cpu/engine.h) embeds struct cpu in
 * a structure of its own, calls the machine through struct cpu_host, and answers through struct
 * cpu_ops.
 *
 * Threads: a CPU's callbacks run on the thread that executes its guest code, between the first
 * instruction and the return of engine_ops.stop(). That is a thread of its own with KVM, and the
 * I/O thread with the software CPU.
 */

#include <stdbool.h>
#include <stdint.h>

#include "gmem.h"

struct cpu;
struct cpu_registers;
struct debug_event;
struct exit_log;

/* Callbacks of a CPU to the machine; their context is cpu->ctx. */
struct cpu_host {
	/* Handles an access of len bytes (1, 2 or 4) to a port. Returns 0, or -ENXIO if the port
	 * does not exist or does not permit such an access. */
	int (*port)(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

	/* Returns the accesses that a port permits, for messages: "writes of 4 bytes". NULL if
	 * there are none that the guest's own code can make. */
	const char *(*port_takes)(struct cpu *cpu, uint16_t port);

	/* Handles an access of len bytes (1 to 8) to an address that is not RAM, or a store to
	 * read-only RAM. Returns 0, -ENXIO if there is no device at the address, -ENODEV if it
	 * is in the window of a virtio device that the machine lacks, or -EROFS. */
	int (*mmio)(struct cpu *cpu, uint64_t address, bool is_write, uint8_t *data, unsigned len);

	/* Reserves the crash report for this CPU until end_report(). Returns false if the machine
	 * is ending already: then there is nothing to report, and end_report() is not called. */
	bool (*begin_report)(struct cpu *cpu);
	void (*end_report)(struct cpu *cpu);

	/* Tells the registers that a crash report shows: those of the instruction that it is about,
	 * which can be others than cpu_ops.registers() has. Between begin_report() and
	 * end_report(). NULL: nobody wants to know. */
	void (*reported)(struct cpu *cpu, const struct cpu_registers *registers);

	/* Returns the name of the symbol at or before a linear address, or NULL, and sets the
	 * offset from it. Any thread; waits for other threads that look one up. */
	const char *(*symbol)(struct cpu *cpu, uint64_t address, uint32_t *offset);

	/* Describes where an interrupt with this vector comes from, or an NMI (vector 2): "pin 3
	 * (block)". Returns false if that is not known. NULL: it never is. */
	bool (*interrupt_source)(struct cpu *cpu, unsigned vector, char *text, size_t size);

	/* Handles a shutdown of the CPU: an exception came up while a double fault was being
	 * delivered (Intel SDM 3, 6.15, interrupt 8). Returns 0 if it is a reset that the guest
	 * asked for, -ENXIO if it is a crash. */
	int (*triple_fault)(struct cpu *cpu);

	/* Ends the machine with this exit status of vole; running() is false from here on. */
	void (*end)(struct cpu *cpu, int status);

	/* Returns false once the machine is ending: guest code is not entered any more. */
	bool (*running)(struct cpu *cpu);

	/* Called again and again while something keeps the CPU waiting, a reader of the log for
	 * instance: serves the devices if this thread is the one that does. Returns as running().
	 */
	bool (*wait)(struct cpu *cpu);

	/* Tells that guest code is entered for the first time: the boot CPU executes its first
	 * instruction, or goes on from a checkpoint. NULL: nobody wants to know. */
	void (*begins)(struct cpu *cpu);

	/* Tells of an access that was made to guest memory which engine_ops.watch() names: a load
	 * or store of len bytes. is_ordered: whether, since the access before this one, the CPU has
	 * executed what orders a store before a later load. */
	void (*watched)(
		struct cpu *cpu, uint64_t gpa, unsigned len, bool is_write, bool is_ordered);

	/* Tells that the CPU has stopped for the debugger (cpu/debug.h). NULL: there is none. */
	void (*debug)(struct cpu *cpu, const struct debug_event *event);
};

struct cpu_segment {
	uint16_t selector;
	uint32_t limit; /* offset of the last byte */
	uint64_t base;
};

struct cpu_table {
	uint64_t base;
	uint16_t limit;
};

/* Indices of cpu_registers.general: as instructions encode them (Intel SDM 2, table 3-1). */
enum { CPU_RAX, CPU_RCX, CPU_RDX, CPU_RBX, CPU_RSP, CPU_RBP, CPU_RSI, CPU_RDI, CPU_R8 };

/* The registers that reports show; register_bits.h has their bits. Outside of long mode the upper
 * halves are 0. */
struct cpu_registers {
	uint64_t general[16];
	uint64_t rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, efer;
	struct cpu_segment cs, ss, ds, es, fs, gs, ldt, tr;
	struct cpu_table gdt, idt;
};

/* A branch that a CPU has taken. Addresses are linear. */
struct cpu_branch {
	uint64_t from, to;
	int vector;       /* of the exception or interrupt that was delivered at from; -1: a branch;
		     * CPU_BRANCH_INIT */
	bool is_repeated; /* several times, one after the other */
};

#define CPU_BRANCHES    8     /* that are remembered */
#define CPU_BRANCH_INIT 0x100 /* an INIT reset the CPU at from */

/* Functions of an engine on one of its CPUs. The machine calls them in the CPU's callbacks; and, on
 * the I/O thread, between engine_ops.pause() and resume(), and after stop(). */
struct cpu_ops {
	/* Sets *registers. Returns 0, -ENODATA if the host lost them when the CPU shut down, or
	 * another -errno. */
	int (*registers)(struct cpu *cpu, struct cpu_registers *registers);

	/* Sets *gpa to the guest-physical address of a linear address, by the CPU's current paging.
	 * Returns 0, or -EFAULT if the address is not mapped. */
	int (*translate)(struct cpu *cpu, uint64_t linear, uint64_t *gpa);

	/* Returns the linear address of CS:RIP, 0 if it is unknown. Unless position_is_exact, that
	 * of an instruction that has stored can be one further, and nobody knows how long it was:
	 * KVM may have emulated it. */
	uint64_t (*position)(struct cpu *cpu);
	bool position_is_exact;

	/* Sets the branches that the CPU has taken last, the oldest first, and returns how many:
	 * at most CPU_BRANCHES. NULL: the engine does not know them. */
	unsigned (*branches)(struct cpu *cpu, struct cpu_branch branches[CPU_BRANCHES]);
};

struct cpu {
	const struct cpu_ops *ops;
	const struct cpu_host *host;
	void *ctx;
	const struct gmem *gmem;
	unsigned id;
	struct exit_log *log; /* NULL: exits are not logged. Not owned */
	uint64_t exits;       /* accesses and other exits that vole handled; on the CPU's thread */
	uint32_t start_outcome; /* what VOLE_PORT_CPU reads; on the CPU's thread */
	uint64_t lacks_at;      /* the instruction that warn_lacking() told of last; 0: none */
};

/* An exception or interrupt, for a report. */
struct cpu_fault {
	unsigned vector;
	bool has_error;
	bool by_instruction; /* INT n, INT3, INTO or INT1 asked for it */
	bool is_at_entry;    /* the kernel has not loaded an IDT yet */
	bool is_frame_lost;  /* its frame is not in memory, so that the place is unknown */
	bool is_real_mode;   /* the CPU is in real mode, and the vector is not the guest's */
	uint32_t error;
	uint64_t rip; /* linear address of the instruction that was interrupted */
	uint64_t cr2; /* page fault: the linear address that was accessed */

	/* Where an interrupt came from: "pin 3 (block)"; NULL: not known, or it is no
	 * interrupt. */
	const char *source;
};

/* Copies guest memory from a linear address on. Returns how many bytes there are before a page that
 * is not there: at most len. In a callback of this CPU. */
size_t cpu_read_linear(struct cpu *cpu, uint64_t linear, void *dst, size_t len);

/* Copies into guest memory at a linear address, over at most two pages. Where something is not
 * writable nothing is written. 0 or -EFAULT. In a callback of this CPU. */
int cpu_write_linear(struct cpu *cpu, uint64_t linear, const void *src, size_t len);

/* Returns whether there is memory at an address that the guest can write. Unlike gmem_ptr() it
 * tells nobody of a write. Any thread. */
bool cpu_memory_is_writable(const struct cpu *cpu, gpa_t gpa);

/* Returns the bytes of an access as a number, for messages. */
uint64_t cpu_value(const uint8_t *data, unsigned len);

#endif
