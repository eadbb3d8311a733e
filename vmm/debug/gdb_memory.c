/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory as the debugger sees it: RAM and read-only memory, by linear or physical address. */
#include <errno.h>
#include <string.h>

#include "debug/gdb_parts.h"
#include "layout.h"

static bool is_memory(const struct gdb *gdb, gpa_t gpa)
{
	return gmem_ptr(&gdb->machine.memory->gmem, gpa, 1, GMEM_READ) != NULL;
}

int gdb_locate_linear(struct gdb *gdb, uint64_t linear, gpa_t *gpa)
{
	struct engine *engine = gdb->machine.engine;
	struct cpu *cpu = engine->ops->cpu(engine, gdb->cpu);

	if (cpu->ops->translate(cpu, linear, gpa) == 0 && is_memory(gdb, *gpa))
		return 0;
	if (gdb->host->locate(gdb->ctx, linear, gpa) == 0 && is_memory(gdb, *gpa))
		return 0;
	return -EFAULT;
}

int gdb_locate(struct gdb *gdb, uint64_t address, gpa_t *gpa)
{
	if (!gdb->is_physical)
		return gdb_locate_linear(gdb, address, gpa);
	*gpa = address;
	return is_memory(gdb, address) ? 0 : -EFAULT;
}

/* Returns how much of [linear, linear + len) lies in the first page. */
static size_t part_in_page(uint64_t linear, size_t len)
{
	size_t part = PAGE_SIZE - linear % PAGE_SIZE;

	return part < len ? part : len;
}

int gdb_locate_part(struct gdb *gdb, uint64_t address, uint64_t len, gpa_t *gpa, uint64_t *part)
{
	int ret = gdb_locate(gdb, address, gpa);
	gpa_t next;

	*part = part_in_page(address, len);
	while (ret == 0 && *part < len && gdb_locate(gdb, address + *part, &next) == 0 &&
		next == *gpa + *part)
		*part += part_in_page(address + *part, len - *part);
	return ret;
}

size_t gdb_read(struct gdb *gdb, uint64_t linear, void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t part = part_in_page(linear + done, len - done);
		gpa_t gpa;

		if (gdb_locate(gdb, linear + done, &gpa) < 0 ||
			gmem_read(&gdb->machine.memory->gmem, gpa, (uint8_t *)bytes + done, part) <
				0)
			break;
		done += part;
	}
	return done;
}

/* Whether all of it is memory. */
static bool can_write(struct gdb *gdb, uint64_t linear, size_t len)
{
	size_t part;
	gpa_t gpa;

	for (size_t done = 0; done < len; done += part) {
		part = part_in_page(linear + done, len - done);
		if (gdb_locate(gdb, linear + done, &gpa) < 0 ||
			!gmem_ptr(&gdb->machine.memory->gmem, gpa, part, GMEM_READ))
			return false;
	}
	return true;
}

/* The observer is told of read-only memory, too: it may hold code that was decoded. */
static void write_part(const struct gmem *gmem, void *host, gpa_t gpa, const void *from, size_t len)
{
	if (gmem->written)
		gmem->written(gmem->written_ctx, gpa, len);
	gmem_copy_out(host, from, len);
}

int gdb_write(struct gdb *gdb, uint64_t linear, const void *bytes, size_t len)
{
	const struct memory *memory = gdb->machine.memory;
	size_t part;
	gpa_t gpa;

	if (!can_write(gdb, linear, len))
		return -EFAULT;
	if (!gdb->host->may_change(gdb->ctx))
		return -EINVAL;
	for (size_t done = 0; done < len; done += part) {
		part = part_in_page(linear + done, len - done);
		gdb_locate(gdb, linear + done, &gpa);
		write_part(&memory->gmem, memory->host + gpa, gpa, (const uint8_t *)bytes + done,
			part);
	}
	return 0;
}
