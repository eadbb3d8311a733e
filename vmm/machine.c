/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error_text.h"
#include "exit_status.h"
#include "log.h"
#include "machine/checkpoint.h"
#include "machine/clone.h"
#include "machine/cpu_host.h"
#include "machine/debugger.h"
#include "machine/device.h"
#include "machine/devices.h"
#include "machine/drain.h"
#include "machine/halts.h"
#include "machine/hang.h"
#include "machine/keeper.h"
#include "machine/last_resort.h"
#include "machine/measure.h"
#include "machine/plan.h"
#include "machine/ports.h"
#include "machine/recording.h"
#include "machine/results.h"
#include "machine/screen.h"
#include "machine/shut_in.h"
#include "machine/signals.h"
#include "machine/state_report.h"
#include "machine/timers.h"
#include "machine/vm.h"
#include "machine/watch.h"
#include "monotonic.h"

/* --- planning --------------------------------------------------------------------------------- */

/* Returns NULL (said) if there is no memory; start is NULL of a machine that is not run. Most of it
 * stays zero: devices that this machine lacks, queues that nobody uses. So it is a mapping of its
 * own, of which only the pages in use are filled. */
static struct vm *make_vm(const struct options *options, const struct process_start *start)
{
	struct vm *vm =
		mmap(NULL, sizeof *vm, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (vm == MAP_FAILED) {
		say("%s", error_text(errno));
		return NULL;
	}
	vm->options = options;
	vm->memory = MEMORY_EMPTY;
	vm->loop = IO_LOOP_EMPTY;
	vm->signals.fd = -1;
	vm->timer.fd = -1;
	vm->last_resort.quit = vm->last_resort.hurry = -1;
	vm->halts.timer.fd = -1;
	vm->hang.timer.fd = -1;
	vm->state_report.fd = -1;
	results_init(vm);
	vm->checkpoint.fd = vm->checkpoint.wake.fd = vm->checkpoint.timer.fd = -1;
	vm->checkpoint.listener = LISTENER_EMPTY;
	vm->entropy = ENTROPY_EMPTY;
	vm->serial.chardev = CHARDEV_EMPTY;
	vm->serial.gsi = -1;
	pthread_mutex_init(&vm->report, NULL);
	pthread_mutex_init(&vm->symbols, NULL);
	atomic_init(&vm->status, -1);
	if (start && options->stats)
		vm->stats = stats_new(start);
	return vm;
}

/* Opens the kernel, or the checkpoint to go on from. Returns 0, or the exit status of vole. */
static int open_image(struct vm *vm)
{
	if (!vm->options->is_clone)
		return boot_open(&vm->boot, vm->options);
	return clone_open(vm, vm->options) < 0 ? EXIT_STATUS_VOLE : 0;
}

/* Reads the kernel, lays out the machine and opens the files of its devices: everything that can be
 * validated without an engine. Returns 0, or the exit status of vole. */
static int plan(struct vm *vm)
{
	int ret;

	if (recording_open(vm) < 0 || recording_identify_files(vm) < 0)
		return EXIT_STATUS_VOLE;
	ret = open_image(vm);
	if (ret != 0)
		return ret;
	if (plan_validate(vm) < 0)
		return EXIT_STATUS_VOLE;
	devices_place(vm);
	if (io_loop_init(&vm->loop) < 0 || debugger_open(vm) < 0 || devices_open(vm) < 0 ||
		recording_identify_disks(vm) < 0)
		return EXIT_STATUS_VOLE;
	if (vm->clone && clone_adopt_disks(vm) < 0)
		return EXIT_STATUS_VOLE;
	return 0;
}

/* What an image is told of the machine. */
static struct boot_machine describe(const struct vm *vm)
{
	return (struct boot_machine){
		.cpu_count = vm->options->cpu_count,
		.tsc_khz = vm->engine ? vm->engine->tsc_khz : 0,
		.apic_timer_khz = APIC_TIMER_KHZ,
		.device_count = vm->place_count,
		.devices = vm->places,
	};
}

/* --- building --------------------------------------------------------------------------------- */

static int open_engine(struct vm *vm)
{
	const struct options *options = vm->options;
	bool is_watched = watch_sees_exits(options);
	bool is_logged = options->log != 0 || options->exits_max != 0 || is_watched;
	const struct cpu_account account = results_account(vm);
	const struct engine_setup setup = {
		.memory = &vm->memory,
		.irqchip = vm->boot->protocol->board.irqchip,
		.clock = options->clock,
		.cpu_count = options->cpu_count,
		.host = &machine_cpu_host,
		.ctx = vm,
		.log = is_logged ? &vm->log : NULL,
		.counters = vm->stats != NULL,
		.account = &account,
	};

	atomic_store(&vm->log.log, options->log);
	vm->log.exits_max = options->exits_max;
	vm->log.watch = is_watched ? watch_exit : NULL;
	return vm->engine_ops->open(&vm->engine, &setup);
}

static int make_core(struct vm *vm)
{
	int ret = plan_engine(vm);

	if (ret == 0)
		ret = memory_init(&vm->memory, vm->boot->regions, vm->boot->region_count);
	if (ret == 0 && vm->clone)
		ret = clone_map_memory(vm);
	if (ret == 0)
		ret = open_engine(vm);
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

static int load(struct vm *vm)
{
	struct boot_machine machine = describe(vm);

	if (vm->clone)
		return 0;
	return vm->boot->protocol->load(vm->boot, &vm->memory, &machine);
}

static void routes_changed(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	struct vm *vm = ctx;

	if (vm->engine->ops->set_routes(vm->engine, routes) < 0)
		vm_end(vm, EXIT_STATUS_VOLE);
}

static int make_devices(struct vm *vm)
{
	int ret = ioapic_init(&vm->ioapic, routes_changed, vm);

	if (ret == 0)
		ret = signals_open(vm);
	if (ret == 0)
		ret = state_report_open(vm);
	if (ret == 0)
		ret = watch_open(vm, (struct sink_wait){signals_wait, vm});
	if (ret == 0)
		ret = devices_add(vm);
	if (ret == 0)
		ports_add(vm);
	if (ret == 0 && vm->clone)
		ret = clone_restore(vm);
	if (ret == -ETIMEDOUT)
		return EXIT_STATUS_TIMEOUT;
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

/* --- running ---------------------------------------------------------------------------------- */

/* What a user has to know of the engine: auto has chosen the slower one. */
static void say_engine(const struct vm *vm)
{
	if (vm->no_kvm)
		say("/dev/kvm: %s; the software CPU executes the guest (vole doctor tells more)",
			vm->no_kvm);
}

static void say_start(const struct vm *vm)
{
	say("engine: %s", vm->engine->ops->name);
	if (vm->clone)
		say("%s: goes on, RAM %u bytes, CPUs: %u", vm->options->kernel,
			vm->options->memory_size, vm->options->cpu_count);
	else
		say("%s: entry point 0x%08x, RAM %u bytes, CPUs: %u", vm->options->kernel,
			entry_address(&vm->boot->state), vm->options->memory_size,
			vm->options->cpu_count);
	for (unsigned i = 0; i < vm->device_count; i++)
		say("device %u: %s at 0x%08x, pin %u", i, vm->places[i].name, vm->places[i].base,
			vm->places[i].pin);
}

static void say_end(struct vm *vm)
{
	char text[128];

	for (unsigned i = 0; i < vm->options->cpu_count; i++) {
		vm->engine->ops->describe(vm->engine, i, text, sizeof text);
		say("CPU %u: %s", i, text);
	}
	say("exit status %d", atomic_load(&vm->status));
}

/* How long queues that are kicked again and again are served before the loop looks at what else
 * there is to do. */
#define KICKS_NS 1000000

/* Executes guest code until there is something else to do. Returns how long there is nothing to
 * execute. With the virtual clock guest time stands still while output waits for its reader: else
 * what the guest has executed when an output is over would depend on the host. */
static int64_t execute(struct vm *vm)
{
	int64_t ns;

	if (vm->pauses > 0 || (vm_is_virtual(vm) && output_waits(vm)))
		return IO_FOREVER;
	checkpoint_look(vm);
	if (vm_is_virtual(vm))
		hang_tick(vm);
	if (vm->recording)
		return recording_run(vm);
	ns = vm->engine->ops->run(vm->engine);
	halts_look(vm);
	return ns;
}

/* Returns whether queues wait to be served, where execute() returned ns. */
static bool is_kicked(const struct vm *vm, int64_t ns)
{
	return vm->recording ? ns == 0 && recording_is_kicked(vm) : atomic_load(&vm->is_kicked);
}

/* io_work of an engine that executes guest code on the I/O thread. */
static int64_t run_engine(void *ctx)
{
	struct vm *vm = ctx;
	uint64_t end = monotonic_ns() + KICKS_NS;
	int64_t ns;

	do {
		device_serve_kicked(vm);
		ns = execute(vm);
	} while (is_kicked(vm, ns) && vm_running(vm) && monotonic_ns() < end);
	return is_kicked(vm, ns) ? 0 : ns;
}

/* Says why the machine has ended, if the guest did not end it: what it was waiting for */
static void say_reason(struct vm *vm)
{
	int status = atomic_load(&vm->status);

	views_flush(&vm->views);
	if (vm->halts.found)
		halts_report(vm);
	if (status == EXIT_STATUS_TIMEOUT || (vm->halts.found && status == EXIT_STATUS_CRASH))
		state_report_end(vm);
}

/* Says how the devices of a run that failed can be had again. */
static void say_chaos(const struct vm *vm)
{
	const struct chaos_choice *chaos = &vm->options->chaos;

	if (chaos->on && atomic_load(&vm->status) != 0)
		say("the devices were those of --chaos %" PRIu64 "%s%s%s", chaos->seed,
			chaos->errors ? ",errors" : "", chaos->reset ? ",reset" : "",
			vm_is_virtual(vm) ? "" : "; --clock virtual repeats the run exactly");
}

/* No guest code is executed any more: says why. */
static void stop(struct vm *vm)
{
	vm->engine->ops->stop(vm->engine);
	signals_stopped(vm);
	measure_reach(vm, STATS_STOPPED);
	measure_collect(vm);
	recording_stopped(vm);
	say_reason(vm);
	results_say(vm);
}

/* Executes guest code and serves devices until the machine ends. */
static void run(struct vm *vm)
{
	const struct entry_state *state = vm->clone ? NULL : &vm->boot->state;

	if (vm->engine->ops->run)
		io_loop_set_work(&vm->loop, run_engine, vm);
	if (timers_open(vm) < 0 || halts_open(vm) < 0 || hang_open(vm) < 0 ||
		checkpoint_begin(vm) < 0 || results_begin(vm) < 0 || recording_begin(vm) < 0 ||
		last_resort_open(vm) < 0 || debugger_attach(vm) < 0 || shut_in(vm) < 0 ||
		last_resort_start(vm) < 0)
		vm_end(vm, EXIT_STATUS_VOLE);
	measure_reach(vm, STATS_SHUT_IN);
	debugger_begin(vm);
	if (!vm_running(vm) || vm->engine->ops->start(vm->engine, state) < 0)
		vm_end(vm, EXIT_STATUS_VOLE);
	/* A debugger may go back to before the end. */
	do {
		if (io_loop_run(&vm->loop) < 0)
			vm_end(vm, EXIT_STATUS_VOLE);
		stop(vm);
	} while (debugger_ended(vm));
	results_write(vm);
}

static int build_and_run(struct vm *vm)
{
	int ret = plan(vm);

	/* Not where a machine is only planned: that changes no file. */
	if (ret == 0 && checkpoint_open(vm) < 0)
		ret = EXIT_STATUS_VOLE;
	measure_reach(vm, STATS_IMAGE);
	if (ret == 0)
		ret = make_core(vm);
	measure_reach(vm, STATS_ENGINE);
	/* Reading images takes its time. Before signals are held back, they end vole as any
	 * program. */
	if (ret == 0)
		ret = load(vm);
	measure_reach(vm, STATS_LOADED);
	if (ret == 0)
		ret = make_devices(vm);
	measure_reach(vm, STATS_DEVICES);
	if (ret != 0)
		return ret;
	results_open(vm);
	if (recording_create(vm) < 0)
		return EXIT_STATUS_VOLE;
	boot_close_files(vm->boot);
	say_engine(vm);
	if (vm->options->verbose)
		say_start(vm);
	run(vm);
	drain(vm);
	measure_reach(vm, STATS_DRAINED);
	watch_close(vm);
	recording_end(vm);
	drain_record(vm);
	recording_finish(vm);
	devices_say_untouched(vm);
	say_chaos(vm);
	checkpoint_say_missing(vm);
	screen_show(vm);
	if (vm->options->verbose)
		say_end(vm);
	debugger_exited(vm);
	return atomic_load(&vm->status);
}

/* Gives back all that the machine is made of, and all that it has of the host but a checkpoint that
 * is kept for clones. */
static void release(struct vm *vm)
{
	last_resort_close(vm);
	halts_close(vm);
	hang_close(vm);
	timers_close(vm);
	devices_free(vm);
	watch_close(vm);
	results_close(vm);
	state_report_close(vm);
	debugger_close(vm);
	ioapic_free(&vm->ioapic);
	if (vm->engine)
		vm->engine->ops->free(vm->engine);
	memory_free(&vm->memory);
	measure_reach(vm, STATS_FREED);
	measure_tell(vm);
	boot_free(vm->boot);
	recording_close(vm);
	measure_free(vm);
}

static void free_vm(struct vm *vm)
{
	signals_close(vm);
	checkpoint_close(vm);
	io_loop_free(&vm->loop);
	clone_free(vm);
	munmap(vm, sizeof *vm);
}

/* A thread that does not return may use anything: only what outlives the process is undone, and it
 * ends here, unless by a signal. */
static void leave(struct vm *vm, int status)
{
	devices_leave(vm);
	results_close(vm);
	measure_tell(vm);
	if (atomic_load(&vm->signal) == 0)
		_exit(status);
}

int machine_run(const struct options *options, const struct process_start *start, int *signal)
{
	struct vm *vm = make_vm(options, start);
	int status;

	*signal = 0;
	if (!vm)
		return EXIT_STATUS_VOLE;
	log_open();
	status = build_and_run(vm);
	if (vm->is_stuck) {
		leave(vm, status);
		*signal = atomic_load(&vm->signal);
		return status;
	}
	release(vm);
	keeper_serve(vm);
	*signal = atomic_load(&vm->signal);
	free_vm(vm);
	return status;
}

int machine_show(const struct options *options)
{
	struct vm *vm = make_vm(options, NULL);
	struct boot_machine machine;
	int status, ret;

	if (!vm)
		return EXIT_STATUS_VOLE;
	status = plan(vm);
	if (status == 0 && plan_engine(vm) < 0)
		status = EXIT_STATUS_VOLE;
	if (status == 0) {
		machine = describe(vm);
		ret = vm->boot->protocol->show(vm->boot, stdout, &machine);
		if (ret < 0) {
			say("%s: %s", ferror(stdout) ? "standard output" : options->kernel,
				error_text(-ret));
			status = EXIT_STATUS_VOLE;
		}
	}
	release(vm);
	free_vm(vm);
	return status;
}
