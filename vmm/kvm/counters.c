/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/counters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "error_text.h"
#include "log.h"

/* More than any Linux has: larger numbers are not believed. */
#define COUNTERS_MAX 4096
#define NAME_MAX_LEN 256
#define VALUES_MAX   1024

int kvm_counters_open(int fd)
{
	int counters = ioctl(fd, KVM_GET_STATS_FD, NULL);

	if (counters >= 0)
		return counters;
	counters = -errno;
	say("--stats: KVM_GET_STATS_FD: %s; some of KVM's counters are missing",
		error_text(-counters));
	return counters;
}

static bool read_at(int fd, uint64_t offset, void *to, size_t len)
{
	return pread(fd, to, len, (off_t)offset) == (ssize_t)len;
}

struct reader {
	int fd, cpu;
	struct kvm_stats_header header;
	void (*each)(void *ctx, int cpu, const char *name, const uint64_t *values, unsigned count);
	void *ctx;
};

/* Reads a counter, whose descriptor has room for a name at its end. */
static void read_counter(
	const struct reader *reader, struct kvm_stats_desc *desc, unsigned number, uint64_t *values)
{
	size_t size = sizeof *desc + reader->header.name_size;

	if (!read_at(reader->fd, reader->header.desc_offset + (uint64_t)number * size, desc, size))
		return;
	desc->name[reader->header.name_size - 1] = '\0';
	if (desc->size == 0 || desc->size > VALUES_MAX ||
		!read_at(reader->fd, (uint64_t)reader->header.data_offset + desc->offset, values,
			desc->size * sizeof *values))
		return;
	reader->each(reader->ctx, reader->cpu, desc->name, values, desc->size);
}

void kvm_counters_read(int fd, int cpu,
	void (*each)(void *ctx, int cpu, const char *name, const uint64_t *values, unsigned count),
	void *ctx)
{
	struct reader reader = {.fd = fd, .cpu = cpu, .each = each, .ctx = ctx};
	uint64_t values[VALUES_MAX];
	struct kvm_stats_desc *desc;

	if (fd < 0 || !read_at(fd, 0, &reader.header, sizeof reader.header) ||
		reader.header.num_desc > COUNTERS_MAX || reader.header.name_size == 0 ||
		reader.header.name_size > NAME_MAX_LEN)
		return;
	desc = malloc(sizeof *desc + reader.header.name_size);
	for (unsigned i = 0; desc && i < reader.header.num_desc; i++)
		read_counter(&reader, desc, i, values);
	free(desc);
}
