/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's counters, as KVM API 4.133 lays them out, from a file that takes the descriptor's place. */
#include "kvm/counters.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"

#define NAME_SIZE 16

/* struct kvm_stats_desc, whose name has no size, so that it is no member of another structure. */
struct counter {
	uint32_t flags;
	int16_t exponent;
	uint16_t size;
	uint32_t offset, bucket_size;
	char name[NAME_SIZE];
};

_Static_assert(
	sizeof(struct counter) == sizeof(struct kvm_stats_desc) + NAME_SIZE, "KVM API 4.133");

static int host_error;

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	(void)fd;
	(void)argument;
	errno = request == KVM_GET_STATS_FD ? host_error : EBADMSG;
	return -1;
}

/* Counters that KVM has, and that cannot be opened. */
static void test_failure(int error, const char *expected)
{
	const char *text;
	int ret;

	host_error = error;
	capture_begin();
	ret = kvm_counters_open(0);
	text = capture_end();
	ok(ret == -error && capture_lines(text) == 1 && strstr(text, expected),
		"4.133 it is said that there is: %s", expected);
}

/* Offsets of the parts of the file. */
#define DESC_AT 64
#define DATA_AT 512

static char told[256];

static void tell(void *ctx, int cpu, const char *name, const uint64_t *values, unsigned count)
{
	size_t len = strlen(told);

	is(*(int *)ctx, cpu, "the context and the CPU are handed on");
	snprintf(told + len, sizeof told - len, "%s", name);
	for (unsigned i = 0; i < count; i++)
		snprintf(told + strlen(told), sizeof told - strlen(told), " %u",
			(unsigned)values[i]);
	snprintf(told + strlen(told), sizeof told - strlen(told), ";");
}

/* Reads a file with this header, two counters and their data. */
static const char *read_file(const struct kvm_stats_header *header, uint16_t second_size)
{
	static const uint64_t data[] = {7, 1, 2, 3};
	const struct counter counters[] = {
		{.size = 1, .offset = 0, .name = "exits"},
		{.size = second_size, .offset = 8, .name = "halts"},
	};
	int fd = memfd_create("counters", 0), cpu = 3;

	told[0] = '\0';
	ok(fd >= 0 && pwrite(fd, header, sizeof *header, 0) == sizeof *header &&
			pwrite(fd, counters, sizeof counters, DESC_AT) == sizeof counters &&
			pwrite(fd, data, sizeof data, DATA_AT) == sizeof data,
		"the file is written");
	kvm_counters_read(fd, cpu, tell, &cpu);
	close(fd);
	return told;
}

static const struct kvm_stats_header good = {
	.name_size = NAME_SIZE,
	.num_desc = 2,
	.desc_offset = DESC_AT,
	.data_offset = DATA_AT,
};

static bool reads(const struct kvm_stats_header *header, uint16_t size, const char *expected)
{
	return strcmp(read_file(header, size), expected) == 0;
}

int main(void)
{
	struct kvm_stats_header header = good;
	int cpu = 3;

	ok(reads(&good, 1, "exits 7;halts 1;"), "counters of one value");
	ok(reads(&good, 3, "exits 7;halts 1 2 3;"), "a histogram");
	ok(reads(&good, 4, "exits 7;"), "one whose data is not there is left out");
	ok(reads(&good, 0, "exits 7;"), "and one without any");
	ok(reads(&good, UINT16_MAX, "exits 7;"), "and one that is too large");
	header.num_desc = UINT32_MAX;
	ok(reads(&header, 1, ""), "so many counters are not believed");
	header = good;
	header.name_size = UINT32_MAX;
	ok(reads(&header, 1, ""), "nor are such long names");
	header.name_size = 0;
	ok(reads(&header, 1, ""), "nor are names of no length");
	told[0] = '\0';
	kvm_counters_read(-1, cpu, tell, &cpu);
	ok(!*told, "without a descriptor there are none");
	test_failure(EMFILE, "--stats: KVM_GET_STATS_FD: Too many open files: the limit is ");
	test_failure(EPERM, "--stats: KVM_GET_STATS_FD: Operation not permitted; ");
	return tap_done();
}
