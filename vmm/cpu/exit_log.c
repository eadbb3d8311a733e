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

static void say_port(struct cpu *cpu, const struct cpu_exit *exit)
{
	const uint8_t *data = exit->data;
	char values[ITEMS_MAX * 12 + 4] = "";
	size_t len = 0;

	for (unsigned i = 0; i < exit->count && i < ITEMS_MAX; i++, data += exit->size)
		len += (size_t)snprintf(values + len, sizeof values - len, " 0x%0*" PRIx64,
			2 * (int)exit->size, cpu_value(data, exit->size));
	if (exit->count > ITEMS_MAX)
		snprintf(values + len, sizeof values - len, " ...");
	tell(cpu,
		"CPU %u exit %" PRIu64 ": %s port 0x%04" PRIx64 " size %u value%s rip 0x%08" PRIx64,
		cpu->id, cpu->exits, exit->is_write ? "out" : "in", exit->address, exit->size,
		values, cpu->ops->position(cpu));
}

static void say_mmio(struct cpu *cpu, const struct cpu_exit *exit)
{
	tell(cpu,
		"CPU %u exit %" PRIu64 ": %s address 0x%08" PRIx64 " size %u value 0x%0*" PRIx64
		" rip 0x%08" PRIx64,
		cpu->id, cpu->exits, exit->is_write ? "store" : "load", exit->address, exit->size,
		2 * (int)exit->size, cpu_value(exit->data, exit->size), cpu->ops->position(cpu));
}

static void say_other(struct cpu *cpu, const struct cpu_exit *exit)
{
	char reason[32] = "";

	if (exit->reason != 0)
		snprintf(reason, sizeof reason, " (KVM exit reason %u)", exit->reason);
	tell(cpu, "CPU %u exit %" PRIu64 ": %s%s rip 0x%08" PRIx64, cpu->id, cpu->exits, exit->name,
		reason, cpu->ops->position(cpu));
}

static void say_exit(struct exit_log *log, struct cpu *cpu, const struct cpu_exit *exit)
{
	unsigned kinds = atomic_load(&log->log);

	switch (exit->kind) {
	case CPU_EXIT_PORT:
		if (kinds & EXIT_LOG_PIO)
			say_port(cpu, exit);
		break;
	case CPU_EXIT_MMIO:
		if (kinds & EXIT_LOG_MMIO)
			say_mmio(cpu, exit);
		break;
	case CPU_EXIT_OTHER:
		if (kinds & EXIT_LOG_OTHER)
			say_other(cpu, exit);
		break;
	}
}

/* Returns whether vole will give the guest a value. */
static bool is_read(const struct cpu_exit *exit)
{
	return exit->kind != CPU_EXIT_OTHER && !exit->is_write;
}

void exit_begin(struct cpu *cpu, const struct cpu_exit *exit)
{
	struct exit_log *log = cpu->log;

	cpu->exits++;
	if (!log)
		return;
	if (log->watch)
		log->watch(cpu, exit, false);
	if (!is_read(exit))
		say_exit(log, cpu, exit);
}

void exit_end(struct cpu *cpu, const struct cpu_exit *exit)
{
	struct exit_log *log = cpu->log;

	if (!log)
		return;
	if (is_read(exit))
		say_exit(log, cpu, exit);
	if (log->watch)
		log->watch(cpu, exit, true);
	if (log->exits_max == 0 || atomic_fetch_add(&log->exits, 1) + 1 != log->exits_max ||
		!cpu->host->running(cpu))
		return;
	cpu->host->end(cpu, EXIT_STATUS_TIMEOUT);
	say("stopped after %" PRIu64 " %s", log->exits_max, log->exits_max == 1 ? "exit" : "exits");
}
