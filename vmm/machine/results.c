/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/results.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"
#include "machine/core_file.h"
#include "machine/last.h"
#include "machine/vm.h"
#include "see/callgrind.h"
#include "see/coverage.h"
#include "see/profile.h"

/* Samples of a second where --profile does not say how many. The software CPU's time is its
 * instructions, a nanosecond each, and a sample costs it about as much as these between two. */
#define HZ_KVM  1000
#define HZ_SOFT 1000000

void results_init(struct vm *vm)
{
	vm->core_file = vm->coverage_file = vm->profile_file = RESULT_FILE_EMPTY;
	vm->profile_timer.fd = -1;
}

/* --- what the engine does for them ------------------------------------------------------------ */

static void on_sample(struct cpu *cpu, uint64_t instructions)
{
	struct vm *vm = cpu->ctx;

	if (vm->profile)
		profile_sample(vm->profile, cpu, instructions);
}

struct cpu_account results_account(const struct vm *vm)
{
	const struct options *options = vm->options;
	unsigned hz = options->profile_hz ? options->profile_hz : HZ_SOFT;

	return (struct cpu_account){
		.last_max = last_kept(options),
		.counts = options->coverage || options->profile,
		.sample_every = options->profile ? SECOND_NS / hz : 0,
		.sample = on_sample,
	};
}

/* A CPU that waits takes no time of the host's, and one that does not stop cannot be asked. */
static void sample_cpus(struct vm *vm)
{
	const struct engine_ops *ops = vm->engine->ops;

	for (unsigned id = 0; id < vm->options->cpu_count; id++) {
		struct cpu_state state;

		if (ops->state(vm->engine, id, &state) == 0 && state.activity == CPU_RUNNING)
			profile_sample(vm->profile, ops->cpu(vm->engine, id), 1);
	}
}

static void sample_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, profile_timer);
	uint64_t times;

	(void)!read(source->fd, &times, sizeof times);
	/* A machine that is paused anyway spends no time. */
	if (!vm_running(vm) || vm->pauses > 0)
		return;
	vm_pause(vm);
	if (vm_running(vm))
		sample_cpus(vm);
	vm_resume(vm);
}

int results_begin(struct vm *vm)
{
	unsigned hz = vm->options->profile_hz ? vm->options->profile_hz : HZ_KVM;
	int ret;

	if (!vm->profile || vm->engine->ops->counts)
		return 0;
	ret = io_timer_add(&vm->loop, &vm->profile_timer, sample_ready);
	if (ret == 0)
		ret = io_timer_set(&vm->profile_timer, SECOND_NS / hz, SECOND_NS / hz);
	return ret;
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool is_callgrind(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *suffix = ".callgrind";
	size_t len = strlen(name);

	return strncmp(name, "callgrind.out.", strlen("callgrind.out.")) == 0 ||
	       (len > strlen(suffix) && strcmp(name + len - strlen(suffix), suffix) == 0);
}

/* Reads the kernel's line table for this option, or says why there is none. */
static void read_lines(struct vm *vm, const char *option, const char *without)
{
	const char *why;
	int ret;

	if (vm->lines)
		return;
	vm->lines = calloc(1, sizeof *vm->lines);
	ret = vm->lines ? lines_read(vm->lines, vm->options->kernel, &why) : -ENOMEM;
	if (ret == 0)
		return;
	say("%s: %s: %s; %s", option, vm->options->kernel, ret == -ENODATA ? why : error_text(-ret),
		without);
	if (vm->lines)
		lines_free(vm->lines);
	free(vm->lines);
	vm->lines = NULL;
}

void results_open(struct vm *vm)
{
	const struct options *options = vm->options;

	result_file_open(&vm->core_file, "--core", options->core);
	result_file_open(&vm->coverage_file, "--coverage", options->coverage);
	result_file_open(&vm->profile_file, "--profile", options->profile);
	if (vm->coverage_file.fd >= 0)
		read_lines(vm, "--coverage", "there will be no coverage");
	if (vm->profile_file.fd < 0)
		return;
	if (is_callgrind(options->profile))
		read_lines(vm, "--profile", "the profile is without lines");
	vm->profile = profile_new();
	if (!vm->profile)
		say("--profile %s: %s; it will not be written", options->profile,
			error_text(ENOMEM));
}

void results_close(struct vm *vm)
{
	result_file_close(&vm->core_file);
	result_file_close(&vm->coverage_file);
	result_file_close(&vm->profile_file);
	file_close(&vm->profile_timer.fd);
	profile_free(vm->profile);
	if (vm->lines)
		lines_free(vm->lines);
	free(vm->lines);
	vm->profile = NULL;
	vm->lines = NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void add_hit(void *ctx, uint64_t address, uint64_t count)
{
	hits_add(ctx, address, count);
}

/* Opens a stream to a result file, which becomes empty. NULL: errno tells why. */
static FILE *begin_writing(const struct result_file *file)
{
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	FILE *stream = NULL;

	if (fd >= 0 && ftruncate(fd, 0) == 0)
		stream = fdopen(fd, "w");
	if (!stream && fd >= 0)
		close(fd);
	return stream;
}

/* Ends it. ret is an error so far, or 0. Returns whether the file is written; if not, that was
 * said. */
static bool end_writing(struct result_file *file, FILE *stream, int ret)
{
	bool has_failed = fflush(stream) != 0 || ferror(stream);

	if (ret == 0 && has_failed)
		ret = errno ? -errno : -EIO;
	fclose(stream);
	return result_file_written(file, ret);
}

static void write_coverage(struct vm *vm, const struct hits *hits, uint64_t others)
{
	struct result_file *file = &vm->coverage_file;
	FILE *stream;

	if (file->fd < 0 || !vm->lines)
		return;
	stream = begin_writing(file);
	if (!stream)
		result_file_written(file, -errno);
	else if (end_writing(file, stream, coverage_write(stream, vm->lines, hits)) && others > 0)
		say("--coverage %s: too many addresses; %" PRIu64 " executions are missing",
			file->path, others);
}

static int write_profile_to(struct vm *vm, FILE *stream, const struct hits *hits, uint64_t others)
{
	bool is_exact = vm->engine->ops->counts;
	const struct callgrind from = {
		.kernel = vm->options->kernel,
		.cmdline = vm->options->cmdline,
		.event = is_exact ? "Instructions" : "Samples",
		.hits = is_exact ? hits : NULL,
		.hits_others = others,
		.lines = vm->lines,
		.profile = vm->profile,
		.cpu = vm->engine->ops->cpu(vm->engine, 0),
	};

	if (is_callgrind(vm->profile_file.path))
		return callgrind_write(stream, &from);
	return profile_write_folded(stream, vm->profile, from.cpu);
}

static void write_profile(struct vm *vm, const struct hits *hits, uint64_t others)
{
	struct result_file *file = &vm->profile_file;
	FILE *stream;

	if (file->fd < 0 || !vm->profile)
		return;
	stream = begin_writing(file);
	if (!stream)
		result_file_written(file, -errno);
	else if (end_writing(file, stream, write_profile_to(vm, stream, hits, others)))
		say("profile %s: %" PRIu64 " sample%s", file->path, vm->profile->samples,
			vm->profile->samples == 1 ? "" : "s");
}

static bool has_failed(const struct vm *vm)
{
	int status = atomic_load(&vm->status);

	return status == EXIT_STATUS_TIMEOUT || status == EXIT_STATUS_CRASH;
}

void results_say(struct vm *vm)
{
	if (has_failed(vm))
		last_say(vm);
}

void results_write(struct vm *vm)
{
	struct hits hits = HITS_EMPTY;
	uint64_t others = 0;

	if (has_failed(vm))
		core_file_write(vm);
	if (vm->coverage_file.fd < 0 && vm->profile_file.fd < 0)
		return;
	if (vm->engine->ops->counts)
		others = vm->engine->ops->counts(vm->engine, add_hit, &hits);
	hits_sort(&hits);
	if (hits.error < 0)
		say("coverage and profile are not complete: %s", error_text(-hits.error));
	write_coverage(vm, &hits, others);
	write_profile(vm, &hits, others);
	hits_free(&hits);
}
