/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EXIT_LOG_H
#define VMM_EXIT_LOG_H

/*
 * Counts and logs exits: --log prints a line about each, --max-exits ends the machine after a
 * number of them, and views of the machine see each (see/event.h). An exit is an access to a port
 * or a device, or any other return from KVM to vole. Without these options there is no exit log,
 * and cpu->log is NULL.
 *
 * When the reader of the log is gone (`2> >(head)`), the log stops and the machine goes on. When
 * that was the reader of standard output too (`2>&1 | head`), the machine ends with
 * EXIT_STATUS_VOLE, as it does when the guest prints there.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"

/* Kinds of exits to log. */
enum { EXIT_LOG_PIO = 1, EXIT_LOG_MMIO = 2, EXIT_LOG_OTHER = 4 };

/* The words of --log, and the kinds of exits that each means. */
#define EXIT_LOG_WORDS 3
struct exit_log_word {
	const char *word;
	unsigned kinds;
};
extern const struct exit_log_word exit_log_words[EXIT_LOG_WORDS];

struct cpu_exit;

struct exit_log {
	atomic_uint log;    /* EXIT_LOG_ values; 0 once nobody reads standard error any more */
	uint64_t exits_max; /* of all CPUs together; 0: no limit */
	atomic_uint_fast64_t exits;

	/* Looks at an exit before and after it is handled, on the thread that executes the CPU;
	 * NULL: nobody does. */
	void (*watch)(struct cpu *cpu, const struct cpu_exit *exit, bool is_end);
};

struct cpu_exit {
	enum { CPU_EXIT_PORT, CPU_EXIT_MMIO, CPU_EXIT_OTHER } kind;
	bool is_write;       /* the guest wrote; the following are for accesses only */
	uint64_t address;    /* port, or guest-physical */
	const uint8_t *data; /* count values of size bytes, which a read has at exit_end() */
	unsigned size, count;
	const char *name; /* CPU_EXIT_OTHER: what it was */
	unsigned reason;  /* and KVM's number for it; 0: none */
};

/* Returns which kind an exit is: one of the EXIT_LOG_ values. */
unsigned exit_log_kind(const struct cpu_exit *exit);

/* Returns whether vole gives the guest a value, so that the line is due after the exit. */
bool exit_log_is_read(const struct cpu_exit *exit);

/* Writes the line about an exit, without "vole: " and newline. On the thread that executes the CPU,
 * in exit_begin() or exit_end(). */
#define EXIT_LOG_LINE_MAX 256
void exit_log_line(char line[EXIT_LOG_LINE_MAX], struct cpu *cpu, const struct cpu_exit *exit);

/*
 * Called before and after an exit is handled, on the thread that executes the CPU. A line has
 * direction, address, size, value and instruction pointer, as far as the exit has them. It is
 * written before the exit is handled, or after it if the guest reads, since the value is known only
 * then.
 *
 * Where KVM's emulator runs an instruction that writes, the instruction pointer is past it; on
 * hardware and with the software CPU it is at the instruction.
 */
void exit_begin(struct cpu *cpu, const struct cpu_exit *exit);
void exit_end(struct cpu *cpu, const struct cpu_exit *exit);

#endif
