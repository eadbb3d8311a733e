/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/access.h"

#include <errno.h>

#include "cpu/crash.h"
#include "cpu/exit_log.h"

bool cpu_access_port(
	struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned size, unsigned count)
{
	const struct cpu_exit exit = {
		.kind = CPU_EXIT_PORT,
		.is_write = is_write,
		.address = port,
		.data = data,
		.size = size,
		.count = count,
	};

	exit_begin(cpu, &exit);
	for (unsigned i = 0; i < count; i++, data += size) {
		if (cpu->host->port(cpu, port, is_write, data, size) == 0)
			continue;
		crash_port(cpu, port, is_write, data, size);
		break;
	}
	exit_end(cpu, &exit);
	return cpu->host->running(cpu);
}

bool cpu_access_mmio(struct cpu *cpu, uint64_t address, bool is_write, uint8_t *data, unsigned size)
{
	const struct cpu_exit exit = {
		.kind = CPU_EXIT_MMIO,
		.is_write = is_write,
		.address = address,
		.data = data,
		.size = size,
		.count = 1,
	};
	int ret;

	exit_begin(cpu, &exit);
	/* A GDT or IDT in a device's window is not a mistake of its driver. */
	if (!is_write && crash_is_table_entry(cpu, address, size))
		ret = -EFAULT;
	else
		ret = cpu->host->mmio(cpu, address, is_write, data, size);
	if (ret < 0)
		crash_mmio(cpu, address, is_write, data, size, ret);
	exit_end(cpu, &exit);
	return cpu->host->running(cpu);
}
