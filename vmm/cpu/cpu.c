/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/cpu.h"

#include <errno.h>
#include <string.h>

#include "layout.h"

/* Returns how much of [linear, linear + len) lies in the first page. */
static size_t part_in_page(uint64_t linear, size_t len)
{
	size_t part = PAGE_SIZE - linear % PAGE_SIZE;

	return part < len ? part : len;
}

size_t cpu_read_linear(struct cpu *cpu, uint64_t linear, void *dst, size_t len)
{
	uint8_t *bytes = dst;
	size_t done = 0;

	while (done < len) {
		size_t part = part_in_page(linear + done, len - done);
		uint64_t gpa;

		if (cpu->ops->translate(cpu, linear + done, &gpa) < 0 ||
			gmem_read(cpu->gmem, gpa, bytes + done, part) < 0)
			break;
		done += part;
	}
	return done;
}

int cpu_write_linear(struct cpu *cpu, uint64_t linear, const void *src, size_t len)
{
	size_t first = part_in_page(linear, len);
	uint64_t gpa, next = 0;

	if (cpu->ops->translate(cpu, linear, &gpa) < 0 ||
		(first < len && cpu->ops->translate(cpu, linear + first, &next) < 0))
		return -EFAULT;
	/* Nothing may be written if the second page is read-only. */
	if (first < len && !gmem_ptr(cpu->gmem, next, len - first, GMEM_WRITE))
		return -EFAULT;
	if (gmem_write(cpu->gmem, gpa, src, first) < 0)
		return -EFAULT;
	if (first == len)
		return 0;
	return gmem_write(cpu->gmem, next, (const uint8_t *)src + first, len - first);
}

bool cpu_memory_is_writable(const struct cpu *cpu, gpa_t gpa)
{
	const struct gmem *gmem = cpu->gmem;

	for (unsigned i = 0; i < gmem->count; i++)
		if (gpa - gmem->regions[i].base < gmem->regions[i].size)
			return gmem->regions[i].writable;
	return false;
}

uint64_t cpu_value(const uint8_t *data, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, data, len <= sizeof value ? len : sizeof value);
	return value;
}
