/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completion of single instructions, on any registers. Memory is that of the input: 4 KiB that all
 * linear addresses lead to, but for the pages that nobody has.
 */
#include "kvm/emulate.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "input.h"

#define MEMORY_SIZE 4096u

#define TYPE_CONFORMING 4 /* of a code segment; Intel SDM 3, 3.4.5.1 */

struct memory {
	uint8_t bytes[MEMORY_SIZE];
	uint64_t absent; /* pages with a bit of theirs in this are not there */
};

static int check_range(const struct memory *memory, uint64_t linear, size_t len)
{
	assert(len > 0 && len <= 40);
	if (linear / MEMORY_SIZE & memory->absent || linear % MEMORY_SIZE > MEMORY_SIZE - len)
		return -EFAULT;
	return 0;
}

static int memory_read(void *ctx, uint64_t linear, void *dst, size_t len)
{
	struct memory *memory = ctx;

	if (check_range(memory, linear, len) < 0)
		return -EFAULT;
	memcpy(dst, memory->bytes + linear % MEMORY_SIZE, len);
	return 0;
}

static int memory_write(void *ctx, uint64_t linear, const void *src, size_t len)
{
	struct memory *memory = ctx;

	if (check_range(memory, linear, len) < 0)
		return -EFAULT;
	memcpy(memory->bytes + linear % MEMORY_SIZE, src, len);
	return 0;
}

static struct kvm_segment take_segment(struct input *in)
{
	unsigned bits = take(in, 2);

	return (struct kvm_segment){
		.base = bits & 0x1000 ? take(in, 8) : 0,
		.limit = bits & 0x2000 ? take(in, 4) : 0xffffffff,
		.selector = bits & 0x4000 ? take(in, 2) : 0x10,
		.type = bits & 0xf,
		.s = bits >> 4 & 1,
		.dpl = bits >> 5 & 3,
		.present = bits >> 7 & 1,
		.l = bits >> 8 & 1,
		.db = bits >> 9 & 1,
		.g = bits >> 10 & 1,
		.unusable = bits >> 11 & 1,
	};
}

static void take_registers(struct input *in, struct emulate *e)
{
	e->regs.rip = take(in, 8);
	e->regs.rsp = take(in, 8);
	e->regs.rflags = take(in, 4);
	e->sregs.cr0 = take(in, 1);
	e->sregs.efer = take(in, 1) << 8;
	e->sregs.cs = take_segment(in);
	e->sregs.ss = take_segment(in);
	e->sregs.ds = take_segment(in);
	e->sregs.es = e->sregs.fs = e->sregs.gs = e->sregs.ds;
	e->sregs.tr = take_segment(in);
	e->sregs.ldt = take_segment(in);
	e->sregs.gdt = (struct kvm_dtable){.base = take(in, 2), .limit = (uint16_t)take(in, 2)};
	e->sregs.idt = (struct kvm_dtable){.base = take(in, 2), .limit = (uint16_t)take(in, 2)};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct memory memory = {.absent = take(&in, 8)}, before;
	struct emulate e = {.ctx = &memory, .read = memory_read, .write = memory_write}, old;
	const uint8_t *code, *bytes;
	size_t code_len = take_bytes(&in, take(&in, 1) % 16, &code), len;
	int ret;

	take_registers(&in, &e);
	len = take_bytes(&in, sizeof memory.bytes, &bytes);
	memcpy(memory.bytes, bytes, len);
	before = memory;
	old = e;
	ret = emulate_instruction(&e, code, code_len);
	assert(ret == 0 || ret == -EOPNOTSUPP || ret == -EFAULT);
	/* What was not completed did not happen. */
	if (ret != 0)
		assert(memcmp(&memory, &before, sizeof memory) == 0 &&
			memcmp(&e.regs, &old.regs, sizeof e.regs) == 0 &&
			memcmp(&e.sregs, &old.sregs, sizeof e.sregs) == 0);
	/* Nothing here leads to an inner level. */
	if (memcmp(&e.sregs.cs, &old.sregs.cs, sizeof e.sregs.cs) != 0)
		assert(e.sregs.cs.dpl >= old.sregs.ss.dpl || e.sregs.cs.type & TYPE_CONFORMING);
	return 0;
}
