/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/exit_log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"

/* Items of a string instruction that are shown. */
#define ITEMS_MAX 8

static bool wait(void *ctx)
{
	struct cpu *cpu = ctx;

	return cpu->host->wait(cpu);
}

/* Stops the log, whose reader is gone; and the machine if standard output has no reader either. */
static void reader_gone(struct cpu *cpu)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	atomic_store(&cpu->log->log, 0);
	/* poll() reports a closed other end whatever events it is asked for. */
	if (poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLHUP))
		cpu->host->end(cpu, EXIT_STATUS_VOLE);
}

/* A slow reader of the log has the guest wait, but not the end of the machine. */
__attribute__((format(printf, 2, 3))) static void tell(struct cpu *cpu, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!vsay(wait, cpu, format, arguments))
		reader_gone(cpu);
	va_end(arguments);
}

const struct exit_log_word exit_log_words[EXIT_LOG_WORDS] = {
	{"pio", EXIT_LOG_PIO},
	{"mmio", EXIT_LOG_MMIO},
	{"exits", EXIT_LOG_PIO | EXIT_LOG_MMIO | EXIT_LOG_OTHER},
};

unsigned exit_log_kind(const struct cpu_exit *exit)
{
	static const unsigned kinds[] = {
		[CPU_EXIT_PORT] = EXIT_LOG_PIO,
		[CPU_EXIT_MMIO] = EXIT_LOG_MMIO,
		[CPU_EXIT_OTHER] = EXIT_LOG_OTHER,
	};

	return kinds[exit->kind];
}

bool exit_log_is_read(const struct cpu_exit *exit)
{
	return exit->kind != CPU_EXIT_OTHER && !exit->is_write;
}

/* "out port 0x00e9 size 1 value 0x41" */
static void describe_port(char *text, size_t size, const struct cpu_exit *exit)
{
	const uint8_t *data = exit->data;
	size_t len = (size_t)snprintf(text, size, "%s port 0x%04" PRIx64 " size %u value",
		exit->is_write ? "out" : "in", exit->address, exit->size);

	for (unsigned i = 0; i < exit->count && i < ITEMS_MAX; i++, data += exit->size)
		len += (size_t)snprintf(text + len, size - len, " 0x%0*" PRIx64,
			2 * (int)exit->size, cpu_value(data, exit->size));
	if (exit->count > ITEMS_MAX)
		snprintf(text + len, size - len, " ...");
}

/* "store address 0xd0000050 size 4 value 0x00000001" */
static void describe_mmio(char *text, size_t size, const struct cpu_exit *exit)
{
	snprintf(text, size, "%s address 0x%08" PRIx64 " size %u value 0x%0*" PRIx64,
		exit->is_write ? "store" : "load", exit->address, exit->size, 2 * (int)exit->size,
		cpu_value(exit->data, exit->size));
}

/* "hlt" */
static void describe_other(char *text, size_t size, const struct cpu_exit *exit)
{
	if (exit->reason != 0)
		snprintf(text, size, "%s (KVM exit reason %u)", exit->name, exit->reason);
	else
		snprintf(text, size, "%s", exit->name);
}

void exit_log_line(char line[EXIT_LOG_LINE_MAX], struct cpu *cpu, const struct cpu_exit *exit)
{
	char what[EXIT_LOG_LINE_MAX - 96];

	switch (exit->kind) {
	case CPU_EXIT_PORT:
		describe_port(what, sizeof what, exit);
		break;
	case CPU_EXIT_MMIO:
		describe_mmio(what, sizeof what, exit);
		break;
	case CPU_EXIT_OTHER:
		describe_other(what, sizeof what, exit);
		break;
	}
	snprintf(line, EXIT_LOG_LINE_MAX, "CPU %u exit %" PRIu64 ": %s rip 0x%08" PRIx64, cpu->id,
		cpu->exits, what, cpu->ops->position(cpu));
}

static void say_exit(struct exit_log *log, struct cpu *cpu, const struct cpu_exit *exit)
{
	char line[EXIT_LOG_LINE_MAX];

	if (!(atomic_load(&log->log) & exit_log_kind(exit)))
		return;
	exit_log_line(line, cpu, exit);
	tell(cpu, "%s", line);
}

void exit_begin(struct cpu *cpu, const struct cpu_exit *exit)
{
	struct exit_log *log = cpu->log;

	cpu->exits++;
	if (!log)
		return;
	if (log->watch)
		log->watch(cpu, exit, false);
	if (!exit_log_is_read(exit))
		say_exit(log, cpu, exit);
}

void exit_end(struct cpu *cpu, const struct cpu_exit *exit)
{
	struct exit_log *log = cpu->log;

	if (!log)
		return;
	if (exit_log_is_read(exit))
		say_exit(log, cpu, exit);
	if (log->watch)
		log->watch(cpu, exit, true);
	if (log->exits_max == 0 || atomic_fetch_add(&log->exits, 1) + 1 != log->exits_max ||
		!cpu->host->running(cpu))
		return;
	cpu->host->end(cpu, EXIT_STATUS_TIMEOUT);
	say("stopped after %" PRIu64 " %s", log->exits_max, log->exits_max == 1 ? "exit" : "exits");
}
