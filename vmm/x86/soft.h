/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_SOFT_H
#define VMM_X86_SOFT_H

/*
 * The software engine's structures, for the files that make it up: soft.c (the engine), soft_run.c
 * (CPUs in turn, and time), soft_bus.c (what a CPU asks: ports, devices, interrupts), soft_start.c
 * (entry states, INIT and SIPI), soft_state.c (what a CPU does), soft_transfer.c (saving and
 * restoring), soft_debug.c (what a debugger asks), pc_chips.c (a PC's interrupt controllers and
 * timer).
 *
 * Everything here belongs to the I/O thread, which calls soft_run(): no lock is needed.
 */

#include "chips/lapic.h"
#include "cpu/engine.h"
#include "x86/account.h"
#include "x86/debug.h"
#include "x86/pc_chips.h"
#include "x86/x86.h"

/* Time is counted in nanoseconds, and so is the TSC. */
#define SOFT_TSC_KHZ 1000000u

/* Instructions of a quantum at most. */
#define SOFT_QUANTUM_MAX 10000

/* x86_system.cost_max: 20 to 50 microseconds of the host's time. */
#define SOFT_COST_MAX 10000

struct soft_cpu {
	struct cpu cpu; /* cpu.id is the index of x86 in the engine's x86_system as well */
	struct soft_engine *engine;
	struct lapic lapic;
	bool started;      /* it was, by whatever way: once true, stays true */
	bool is_waiting;   /* for SIPI, or for start_cpu() */
	bool init_pending; /* INIT has come, and is handled between quanta */
	bool sipi_pending; /* and SIPI, with this vector */
	uint8_t sipi_vector;
	uint8_t missing_told; /* x86_cpu.missing, as the user was told */
	enum cpu_go go;       /* the debugger's wish */
};

struct soft_engine {
	struct engine engine;
	enum engine_irqchip irqchip;
	enum engine_clock clock;
	const struct cpu_host *host;

	struct x86_system system;
	struct soft_cpu *cpus; /* parallel to system.cpus */

	struct x86_account account; /* system.account points to it if there are accounts */
	struct cpu_account account_wanted;

	struct lapic_bus bus;
	struct ioapic_route routes[IOAPIC_PINS]; /* ENGINE_IRQCHIP_APIC */
	struct pc_chips pc;                      /* ENGINE_IRQCHIP_PC */

	uint64_t origin; /* ENGINE_CLOCK_HOST: of the host's clock, in ns, when the guest began */
	uint64_t now;    /* guest time at the start of the round, in ns */

	/* A round gives each CPU at most quantum instructions; most is what the CPU that executed
	 * most has executed so far, 0 between rounds. turn is the CPU that is next; 0: the round is
	 * over. */
	int64_t quantum, most;
	unsigned turn;

	/* engine_position.turns, and where soft_run() is to return; turns UINT64_MAX: nowhere. */
	uint64_t turns;
	struct engine_position stop;
	unsigned stop_cpu;   /* and where this CPU has executed so many instructions */
	uint64_t stop_count; /* UINT64_MAX: never */

	struct soft_cpu *current; /* the one that executes; NULL between quanta */
	uint64_t current_count;   /* x86_count() at the start of its quantum */
	int64_t left;       /* instructions, and their x86_charge(), until devices are served */
	bool ends_turn;     /* soft_break() was called in this turn */
	bool yield_asked;   /* soft_run() is to return soon */
	bool has_begun;     /* cpu_host.begins() was called */
	bool was_idle;      /* soft_run() found no CPU to execute the last time */
	bool paused;        /* soft_run() executes nothing */
	uint64_t paused_at; /* ENGINE_CLOCK_HOST: of the host's clock, in ns */

	struct x86_debug *debug; /* NULL: no debugger has asked for anything. Owned */
	/* Instructions of the turn that a debugger has interrupted, and which goes on after it as
	 * if nothing had happened. */
	int64_t turn_done;
};

static inline struct x86_cpu *soft_x86(const struct soft_cpu *cpu)
{
	return &cpu->engine->system.cpus[cpu->cpu.id];
}

/* --- soft_account.c --------------------------------------------------------------------------- */

/* Begins accounts, if wanted is neither NULL nor empty, before the CPUs are made. 0 or -ENOMEM. */
int soft_account_init(struct soft_engine *engine, const struct cpu_account *wanted, unsigned count);

/* Ends them: no CPU executes any more. */
void soft_account_end(struct soft_engine *engine);

/* As engine_ops.last() and counts(). */
unsigned soft_last(struct engine *base, unsigned id, const struct cpu_step **steps);
uint64_t soft_counts(struct engine *base,
	void (*each)(void *ctx, uint64_t address, uint64_t executions), void *ctx);

/* --- soft_run.c ------------------------------------------------------------------------------- */

/* Guest time begins, or goes on after it was restored. */
void soft_begin(struct soft_engine *engine);

/* Executes guest code, as engine_ops.run(). */
int64_t soft_execute(struct soft_engine *engine);

/* Guest time, in ns: also in the middle of a quantum. */
uint64_t soft_now(const struct soft_engine *engine);

/* Guest time for who looks from outside: it never goes back. By the virtual clock all CPUs of a
 * round begin at the same time, so soft_now() goes back where a turn ends; this one stays at what
 * the round has reached. */
uint64_t soft_now_monotonic(const struct soft_engine *engine);

/* The CPU that executes leaves its quantum after the current instruction. */
void soft_break(struct soft_engine *engine);

/* Warns the user, once, that the guest has used what this CPU lacks, and got the exception of a CPU
 * without it: the guest's own handler knows nothing of that. */
void soft_tell_missing(struct soft_cpu *cpu);

/* The pause begins, or ends: guest time stands still meanwhile. */
void soft_begin_pause(struct soft_engine *engine);
void soft_end_pause(struct soft_engine *engine);

/* --- soft_bus.c ------------------------------------------------------------------------------- */

/* Whether an interrupt waits that the CPU would take now. */
bool soft_has_interrupt(const struct soft_cpu *cpu);

/* For struct x86_system; the context is the struct soft_engine. */
extern const struct x86_bus soft_bus;

/* --- soft_start.c ----------------------------------------------------------------------------- */

/* Sets the registers of a CPU. */
void soft_set_state(struct x86_cpu *x86, const struct entry_state *state);

/* Handles INIT and SIPI, if they are pending, between quanta (Intel SDM 3, 9.4.4). */
void soft_take_init(struct soft_cpu *cpu);

/* For struct lapic_bus; the context is the struct soft_engine. */
extern const struct lapic_ops soft_lapic_ops;

/* --- soft_debug.c ----------------------------------------------------------------------------- */

extern const struct engine_debug_ops soft_debug;
void soft_debug_free(struct soft_engine *engine);

/* How many of these instructions a CPU may execute before the debugger has a look. */
int64_t soft_debug_quantum(const struct soft_cpu *cpu, int64_t quantum);

/* A CPU has executed some instructions, which ended so. Returns true if it has stopped for the
 * debugger in the middle of its turn. */
bool soft_debug_executed(struct soft_cpu *cpu, enum x86_stop stop, int64_t executed);

/* Devices were served: has they written what is watched? Then all CPUs stop. */
void soft_debug_look(struct soft_engine *engine);

/* --- soft_state.c ----------------------------------------------------------------------------- */

/* What the CPU does, for engine_ops.activity(). */
enum cpu_activity soft_activity(const struct soft_cpu *cpu);

/* Sets *state, as engine_ops.state(). */
void soft_read_state(const struct soft_cpu *cpu, struct cpu_state *state);

/* --- soft_transfer.c -------------------------------------------------------------------------- */

struct snapshot_stream;

/* Transfers the engine's state to or from a stream, as engine_ops.transfer(). Between quanta. */
void soft_transfer(struct soft_engine *engine, struct snapshot_stream *stream);

#endif
