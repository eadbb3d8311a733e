/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/debugger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/timerfd.h>

#include "debug/gdb.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"
#include "machine/history.h"
#include "machine/monitor.h"
#include "machine/recording.h"
#include "machine/replay.h"
#include "machine/vm.h"

_Static_assert(GDB_CPUS_MAX == CPUS_MAX, "the gdb server has room for each CPU");

/* --- the machine, as the server asks for it --------------------------------------------------- */

/* The time-out stands still, with what is left of it. Its timer is 0 when it is set no more. */
static void hold_timer(struct vm *vm)
{
	const struct itimerspec never = {0};

	if (vm->timer.fd >= 0)
		timerfd_settime(vm->timer.fd, 0, &never, &vm->gdb_timer);
}

static void release_timer(struct vm *vm)
{
	if (vm->timer.fd >= 0)
		timerfd_settime(vm->timer.fd, 0, &vm->gdb_timer, NULL);
}

static int pause_machine(void *ctx)
{
	struct vm *vm = ctx;

	if (vm->is_gdb_paused)
		return vm->engine->ops->pause(vm->engine);
	vm->is_gdb_paused = true;
	hold_timer(vm);
	return vm_pause(vm);
}

static void resume_machine(void *ctx)
{
	struct vm *vm = ctx;

	vm->is_gdb_paused = false;
	release_timer(vm);
	vm_resume(vm);
}

static void lose_machine(void *ctx)
{
	struct vm *vm = ctx;

	vm_discard_output(vm);
	vm_end_outside(vm, EXIT_STATUS_VOLE);
}

static int locate(void *ctx, uint64_t linear, uint64_t *gpa)
{
	const struct vm *vm = ctx;
	const struct boot_protocol *protocol = vm->boot->protocol;

	return protocol->locate ? protocol->locate(vm->boot, linear, gpa) : -EFAULT;
}

static const struct gdb_host host = {
	.pause = pause_machine,
	.resume = resume_machine,
	.kill = vm_quit,
	.lose = lose_machine,
	.can_reverse = history_can_reverse,
	.may_change = history_may_change,
	.reverse = history_reverse,
	.locate = locate,
	.monitor = monitor,
};

/* --- life ------------------------------------------------------------------------------------- */

/* Whether the kernel is a 64-bit ELF file: bytes of e_ident. Others have 32-bit code first. */
static bool is_64_bit(const char *path)
{
	static const uint8_t expected[] = {0x7f, 'E', 'L', 'F', 2 /* ELFCLASS64 */};
	uint8_t found[sizeof expected];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len = fd < 0 ? -1 : file_read_some(fd, found, sizeof found, 0);

	file_close(&fd);
	return len == sizeof found && memcmp(found, expected, sizeof found) == 0;
}

int debugger_open(struct vm *vm)
{
	if (vm->options->gdb.kind == GDB_NONE)
		return 0;
	if (vm->options->gdb.kind == GDB_STDIO && vm->options->capture &&
		strcmp(vm->options->capture, "-") == 0) {
		say("--gdb -: standard output is gdb's; --capture needs the name of a file");
		return -EINVAL;
	}
	vm->is_gdb_64 = vm->options->kernel && is_64_bit(vm->options->kernel);
	return gdb_open(&vm->gdb, &vm->options->gdb, &vm->loop, &host, vm);
}

void debugger_close(struct vm *vm)
{
	gdb_close(vm->gdb);
	vm->gdb = NULL;
	history_close(vm);
}

int debugger_attach(struct vm *vm)
{
	return vm->gdb ? vm->engine->ops->debug->attach(vm->engine) : 0;
}

void debugger_begin(struct vm *vm)
{
	const struct gdb_machine machine = {
		.engine = vm->engine,
		.memory = &vm->memory,
		.cpu_count = vm->options->cpu_count,
		.is_64 = vm->is_gdb_64,
	};

	if (!vm->gdb)
		return;
	if (history_open(vm, recording_run) < 0)
		vm_end_outside(vm, EXIT_STATUS_VOLE);
	else
		gdb_begin(vm->gdb, &machine);
}

void debugger_stopped(struct cpu *cpu, const struct debug_event *event)
{
	struct vm *vm = cpu->ctx;

	if (vm->gdb && !history_takes_stop(vm, cpu->id, event))
		gdb_stopped(vm->gdb, cpu, event);
}

bool debugger_ended(struct vm *vm)
{
	const struct vm_crash *crash = &vm->crash;
	int status = atomic_load(&vm->status);
	bool holds = !vm->is_gdb_paused;

	if (!vm->gdb)
		return false;
	if (holds)
		hold_timer(vm);
	if (status == EXIT_STATUS_CRASH)
		gdb_ended(vm->gdb, GDB_END_CRASH, crash->cpu,
			crash->is_known ? &crash->registers : NULL);
	else if (status == EXIT_STATUS_TIMEOUT)
		gdb_ended(vm->gdb, GDB_END_TIMEOUT, 0, NULL);
	else if (vm->history && replay_has_ended(vm->recording))
		gdb_ended(vm->gdb, GDB_END_RECORD, crash->cpu, NULL);
	atomic_store(&vm->last_resort.is_excused, true);
	/* A terminal that gets another size, for instance, is no reason to take the crash away from
	 * who looks at it. */
	while (atomic_load(&vm->signal) == 0 && gdb_serve_ended(vm->gdb, vm->signals.fd))
		vm->signals.ready(&vm->signals);
	atomic_store(&vm->last_resort.is_excused, false);
	if (holds && !vm_running(vm))
		release_timer(vm);
	return vm_running(vm);
}

int debugger_output(const struct vm *vm)
{
	return vm->gdb ? gdb_output_fd(vm->gdb) : -1;
}

void debugger_forward(struct vm *vm)
{
	gdb_flush_output(vm->gdb);
}

void debugger_exited(struct vm *vm)
{
	if (vm->gdb)
		gdb_exited(vm->gdb, atomic_load(&vm->status));
}
