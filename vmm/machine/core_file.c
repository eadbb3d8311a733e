/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/core_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error_text.h"
#include "log.h"
#include "machine/vm.h"
#include "see/core.h"
#include "shell_word.h"

/* Sets the registers of a CPU, or says why there are none. */
static void read_registers(struct vm *vm, struct core_cpu *to)
{
	struct cpu *cpu = vm->engine->ops->cpu(vm->engine, to->id);
	struct cpu_state state;
	int ret;

	if (vm->crash.is_known && vm->crash.cpu == to->id) {
		to->registers = vm->crash.registers;
		return;
	}
	/* A CPU that has not stopped cannot be asked. */
	ret = vm->engine->ops->state(vm->engine, to->id, &state);
	if (ret == 0)
		ret = cpu->ops->registers(cpu, &to->registers);
	if (ret == 0)
		return;
	to->registers = (struct cpu_registers){.rip = 0};
	say("the core file lacks the registers of CPU %u: %s", to->id,
		ret == -ENODATA ? "this host's KVM has lost them" : error_text(-ret));
}

/* All CPUs: the one that crashed first, so that a debugger shows it. */
static void read_cpus(struct vm *vm, struct core_cpu *cpus)
{
	unsigned first = vm->crash.cpu;

	for (unsigned i = 0; i < vm->options->cpu_count; i++) {
		cpus[i].id = i == 0 ? first : i <= first ? i - 1 : i;
		read_registers(vm, &cpus[i]);
	}
}

/* Writes a core to an empty file. Returns as core_write(), or -ENOMEM. */
static int write_core(struct vm *vm, int fd, bool *is_cut)
{
	struct core core = {
		.kernel = vm->options->kernel,
		.cmdline = vm->options->cmdline,
		.gmem = &vm->memory.gmem,
		.cpu_count = vm->options->cpu_count,
	};
	struct core_cpu *cpus = calloc(core.cpu_count, sizeof *cpus);
	int ret = -ENOMEM;

	if (cpus) {
		read_cpus(vm, cpus);
		core.cpus = cpus;
		ret = core_write(fd, &core, is_cut);
	}
	free(cpus);
	return ret;
}

int core_file_save(struct vm *vm, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool is_cut;
	int ret = fd < 0 ? -errno : write_core(vm, fd, &is_cut);

	if (fd >= 0)
		close(fd);
	if (fd >= 0 && ret < 0)
		unlink(path);
	return ret;
}

bool core_file_write(struct vm *vm)
{
	const char *path = vm->options->core;
	bool is_cut = false;
	int ret;

	if (vm->core_file.fd < 0)
		return false;
	ret = write_core(vm, vm->core_file.fd, &is_cut);
	if (!result_file_written(&vm->core_file, ret))
		return false;
	if (is_cut)
		say("--core %s: some of what the page tables map is missing: too many ranges",
			path);
	say("core file: gdb %s %s", shell_word(vm->options->kernel), shell_word(path));
	return true;
}
