/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ENGINE_H
#define VMM_ENGINE_H

/*
 * Engines execute guest code. The machine knows of them what is in this header, and asks for no
 * more: neither for exits nor for a host thread per CPU, an eventfd or a clock of the host's.
 *
 * An engine has the CPUs, their local APICs, and as much of a board's interrupt controllers as
 * enum engine_irqchip says. Accesses to all other ports and addresses are callbacks (struct
 * cpu_host) which an engine makes while it executes guest code, through cpu/access.h: a repeated
 * string instruction cannot be left in the middle.
 *
 * The local APICs' timers count nanoseconds (APIC_TIMER_KHZ) under every engine.
 */

#include <stdbool.h>
#include <stdint.h>

#include "chips/ioapic.h"
#include "chips/pic.h"
#include "cpu/cpu.h"
#include "cpu/cpu_state.h"
#include "cpu/debug.h"
#include "cpu/entry_state.h"
#include "cpu/memory.h"
#include "cpu/step.h"

enum engine_irqchip {
	/* No interrupts at all: HLT ends the machine with status 0. */
	ENGINE_IRQCHIP_NONE,
	/* Local APICs. The IOAPIC is the machine's, which sets the routes of GSIs. */
	ENGINE_IRQCHIP_APIC,
	/* All of a PC's: local APICs, IOAPIC, two PICs (8259A) and the timer (8254). GSI n is pin n
	 * of the IOAPIC, and of the PICs below 16. The engine answers their ports and addresses,
	 * see engine_answers_port(). */
	ENGINE_IRQCHIP_PC,
};

enum engine_clock {
	ENGINE_CLOCK_HOST,    /* TSC and timers follow the host's clock */
	ENGINE_CLOCK_VIRTUAL, /* time is the number of instructions executed: repeatable */
};

/* The parameters of open(). The engine does not own the pointers, which outlive it. */
struct engine_setup {
	struct memory *memory; /* guest memory, not yet filled */
	enum engine_irqchip irqchip;
	enum engine_clock clock;
	unsigned cpu_count;
	const struct cpu_host *host;
	void *ctx;            /* of host */
	struct exit_log *log; /* NULL: exits are neither logged nor counted */
	bool counters;        /* counters() will be called */

	/* NULL: no accounts. An engine without engine_ops.last() keeps none. */
	const struct cpu_account *account;
};

/*
 * A point of a run by ENGINE_CLOCK_VIRTUAL: how many turns of CPUs are over, each jump of the clock
 * to a timer being one, and how many instructions of the next one are executed. Two runs with equal
 * input have the same state there, whatever the host or a debugger did.
 */
struct engine_position {
	uint64_t turns;
	int64_t done;
	uint64_t instructions; /* that all CPUs have executed until then */
};

/* Words that a CPU finds on its stack when another has started it. */
#define CPU_FRAME_WORDS 2

/* How long the caller of engine_ops.run() may sleep, in nanoseconds: until something happens. */
#define ENGINE_FOREVER INT64_MAX

/* How long pause() waits for callbacks, in milliseconds. */
#define ENGINE_PAUSE_MS 1000

struct engine;
struct snapshot_stream;
struct rules;

/* Constant, one per engine. Functions that can fail return 0 or a negative errno, which was said.
 */
struct engine_ops {
	const char *name; /* as --engine has it */

	/* Returns NULL if this host has what the engine needs, else why not, in the host's words:
	 * "No such file or directory". Costs microseconds. */
	const char *(*absent)(void);

	/* Makes an engine. *engine is set even if it fails, or stays NULL; to be freed. */
	int (*open)(struct engine **engine, const struct engine_setup *setup);
	void (*free)(struct engine *engine);

	/* Replaces all routes: GSI n goes where pin n of the machine's IOAPIC says. Any thread.
	 * ENGINE_IRQCHIP_APIC only. */
	int (*set_routes)(struct engine *engine, const struct ioapic_route routes[IOAPIC_PINS]);

	/* Prepares a GSI, 0 to IOAPIC_PINS - 1, to be raised. Before start(). */
	int (*connect)(struct engine *engine, unsigned gsi);

	/* Raises an edge of a connected GSI. Any thread that serves devices or executes guest code,
	 * one at a time for each GSI. */
	void (*raise)(struct engine *engine, unsigned gsi);

	/* Has 32-bit guest stores of value to address signal the eventfd instead of calling
	 * cpu_host.mmio(), or no longer. Any thread. NULL: this engine has no such short cut. */
	int (*set_kick)(
		struct engine *engine, int eventfd, uint64_t address, uint32_t value, bool enable);

	/* Adds the system calls that the engine makes from start() on, besides those of
	 * sandbox/calls.h. After open(). NULL: there are none. */
	void (*permit)(struct engine *engine, struct rules *rules);

	/* Has cpu_host.watched() be called for each access of a CPU to a page that [gpa, gpa + len)
	 * is in, from here on. In a callback of a CPU, or before start(). Returns 0 or -ENOMEM.
	 * NULL: this engine does not see what CPUs do to memory. */
	int (*watch)(struct engine *engine, uint64_t gpa, uint64_t len);

	/* Sets the boot CPU's registers and lets guest code be executed: by threads of the engine's
	 * own, or in run(). state is NULL after transfer() has restored all CPUs: they go on. */
	int (*start)(struct engine *engine, const struct entry_state *state);

	/*
	 * Executes guest code on the calling thread for about as long as a device may wait to be
	 * served, and returns how long the caller may sleep, in nanoseconds: 0 if there is more
	 * guest code, else until the next timer or ENGINE_FOREVER. The caller serves devices and
	 * calls again. NULL: the engine has threads of its own.
	 */
	int64_t (*run)(struct engine *engine);

	/* Has run() return soon, since devices are to be served. In a callback of a CPU. NULL where
	 * run is. */
	void (*yield)(struct engine *engine);

	/* Returns guest time: nanoseconds since start(), by the CPUs' clock. It never goes back, so
	 * it can be ahead of a CPU's TSC where CPUs take turns. In a callback of a CPU. NULL: the
	 * guest's clock is the host's. */
	uint64_t (*now)(struct engine *engine);

	/* Sets *position to where the run is. I/O thread, or in a callback of a CPU, where the
	 * instruction that made it is not executed yet. NULL: there is no virtual clock. */
	void (*position)(struct engine *engine, struct engine_position *position);

	/* Has run() return at this position, not before the last one, of which the count of all
	 * instructions does not matter; turns UINT64_MAX: nowhere. NULL where position is. */
	void (*stop_at)(struct engine *engine, const struct engine_position *position);

	/* Has a turn pass although no CPU has anything to execute, as run() has found, since
	 * devices are to be served. NULL where position is. */
	void (*pass)(struct engine *engine);

	/* Waits until no guest code is executed any more. Called once cpu_host.running() is false,
	 * also without start(). */
	void (*stop)(struct engine *engine);

	/* Returns the CPU with this number, below cpu_count; valid as long as the engine. */
	struct cpu *(*cpu)(struct engine *engine, unsigned id);

	/*
	 * Starts a waiting CPU in this state, with frame, if not NULL, where its ESP points to:
	 * that must be writable, and is written only if the CPU starts. In a callback of another
	 * CPU. Says nothing.
	 *   0        it runs
	 *   -EBUSY   it was started before, by whatever way
	 *   -EINTR   the machine is being stopped
	 */
	int (*start_cpu)(struct engine *engine, unsigned id, const struct entry_state *state,
		const uint32_t frame[CPU_FRAME_WORDS]);

	/* Returns what a CPU does, without stopping it: what it did a moment ago, or CPU_UNKNOWN.
	 * I/O thread. */
	enum cpu_activity (*activity)(struct engine *engine, unsigned id);

	/*
	 * Stops all CPUs between two instructions, until resume(). I/O thread, which holds no lock
	 * that a callback takes. Calls do not nest.
	 *
	 * Until resume() no guest code is executed, and the caller may use registers, cpu_ops,
	 * state() and guest memory of all CPUs. Devices go on: the I/O thread may return to its
	 * loop, where run(), if it is called, executes nothing. Guest time stands still where the
	 * engine has it (now()); else it follows the host's clock. The machine can end meanwhile:
	 * stop() ends the pause.
	 *
	 * A CPU that is in a callback comes back from it first. One that asks there for another
	 * CPU's start gets its answer. One that cannot come back, because it waits for a reader of
	 * the log for instance, is waited for for ENGINE_PAUSE_MS at most, all CPUs together. A CPU
	 * whose execution has ended, also before start() and after stop(), counts as stopped, and
	 * one that reports a crash ends. After a pause() before start(), the CPUs stop before their
	 * first instruction; a second one, after it, waits for them.
	 *   0       all are stopped
	 *   -EBUSY  a CPU has not come: it executes no further instruction, but is in the middle of
	 *           one, and what its callback does may go on. state() says of which CPU. resume()
	 *           is owed all the same.
	 */
	int (*pause)(struct engine *engine);
	void (*resume)(struct engine *engine);

	/* Has a CPU stop after the instruction that made this callback, until the next resume():
	 * the caller has the I/O thread call pause(). In a callback of that CPU. NULL where run is:
	 * yield() has it stop. */
	void (*hold)(struct engine *engine, unsigned id);

	/* Sets *state. Between pause() and resume(), or after stop(). I/O thread.
	 *   0       done
	 *   -EBUSY  the CPU has not stopped, and the host tells nothing of it: cpu_ops must not be
	 *           used either
	 *   other   -errno (said) */
	int (*state)(struct engine *engine, unsigned id, struct cpu_state *state);

	/* Sets *pic to a copy of a PC's PICs, and *uses_ioapic to whether a pin of its IOAPIC sends
	 * messages. Returns false if the board has none, or if they cannot be read (said). Between
	 * pause() and resume(), or after stop(). I/O thread. */
	bool (*pics)(struct engine *engine, struct pic *pic, bool *uses_ioapic);

	/*
	 * Saves the state of the CPUs and of the board's interrupt controllers and timers that the
	 * engine has, or restores it: transfers it to or from a stream (snapshot/stream.h). I/O
	 * thread. Saving: between pause() and resume(); the routes of GSIs are the machine's.
	 * Restoring: before start(), or between pause() and resume(); memory and routes are
	 * restored before.
	 *
	 * The software CPU forgets decoded code and its TLB, so that the machine which goes on and
	 * the one which is restored do the same from there. A guest's change to a page table that
	 * has not been followed by an invalidation thus has its effect now, as it may (SDM 3,
	 * 4.10.4.2).
	 *   0       done, if the stream has not failed: the caller looks at snapshot_failed()
	 *   -errno  the host refused something (said)
	 */
	int (*transfer)(struct engine *engine, struct snapshot_stream *stream);

	/* Sets *steps to the last steps of a CPU, the oldest first, and returns how many there are.
	 * They are valid as long as the engine. After stop(). NULL: not known. */
	unsigned (*last)(struct engine *engine, unsigned id, const struct cpu_step **steps);

	/* Calls each() for each linear address that was executed, by all CPUs together, in no
	 * order. Returns how many executions are missing there, since there were too many
	 * addresses. After stop(). NULL: not known. */
	uint64_t (*counts)(struct engine *engine,
		void (*each)(void *ctx, uint64_t address, uint64_t executions), void *ctx);

	/* Writes the engine's counts of a CPU to text: "12 exits, 3 instructions completed for
	 * KVM". After stop(), or between pause() and resume(). */
	void (*describe)(struct engine *engine, unsigned id, char *text, size_t size);

	/* Returns how many instructions a CPU has executed. In a callback of a CPU, between pause()
	 * and resume(), or after stop(). NULL: not known. */
	uint64_t (*instructions)(struct engine *engine, unsigned id);

	/* Calls each() for each counter that the host keeps of the machine (cpu -1) and of each
	 * CPU, by the host's name for it: with one value, or those of a histogram. After stop(), if
	 * engine_setup.counters is set. NULL: the host keeps none. */
	void (*counters)(struct engine *engine,
		void (*each)(void *ctx, int cpu, const char *name, const uint64_t *values,
			unsigned count),
		void *ctx);

	/* What a debugger asks of the engine. */
	const struct engine_debug_ops *debug;

	/* Says by finding() what the engine can do on this host. Returns how many million guest
	 * instructions it executes in a second; 0 if guests cannot run. */
	double (*doctor)(void);
};

/* Engines embed it. */
struct engine {
	const struct engine_ops *ops;
	uint32_t tsc_khz; /* frequency of the CPUs' TSC; 0: unknown. Set by open() */
};

extern const struct engine_ops engine_kvm, engine_soft;

/* Returns whether the engine handles this port itself and does not call cpu_host.port(). */
bool engine_answers_port(enum engine_irqchip irqchip, uint16_t port);

#endif
