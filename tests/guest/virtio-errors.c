/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks the rules of the ring in several ways. Each time the device is to ask for a reset, to stay
 * silent until it gets it, and to work afterwards (virtio 2.1.2). Exit status 0; vole says on
 * standard error, once for each, what was wrong.
 */

#include <vole/virtio_mmio.h>

#include "check.h"
#include "error.h"
#include "rng.h"

static struct rng rng;
static uint8_t bytes[16];
static uint32_t hole = 0xc8000000; /* no RAM */

static void publish(uint16_t idx)
{
	atomic_store(&rng.vq.split.avail->idx.raw, cpu_to_le16(idx).raw);
}

/* The available ring holds the head of a chain that is made of descriptors 0 and 1. */
static void offer(uint16_t head)
{
	rng.vq.split.avail->ring[0] = cpu_to_le16(head);
	publish(1);
}

static void describe(unsigned i, uint64_t address, uint32_t len, uint16_t flags, uint16_t next)
{
	rng.vq.split.desc[i].addr = cpu_to_le64(address);
	rng.vq.split.desc[i].len = cpu_to_le32(len);
	rng.vq.split.desc[i].flags = cpu_to_le16(flags);
	rng.vq.split.desc[i].next = cpu_to_le16(next);
}

static void idx_jumps(void)
{
	publish(1000);
}

static void head_out_of_table(void)
{
	offer(rng.vq.size);
}

static void next_out_of_table(void)
{
	describe(0, (uint32_t)bytes, 1, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 0xffff);
	offer(0);
}

static void chain_loops(void)
{
	describe(0, (uint32_t)bytes, 1, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 1);
	describe(1, (uint32_t)bytes, 1, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 0);
	offer(0);
}

static void readable_after_writable(void)
{
	describe(0, (uint32_t)bytes, 1, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 1);
	describe(1, (uint32_t)bytes, 1, 0, 0);
	offer(0);
}

static void buffer_in_a_hole(void)
{
	describe(0, hole, 16, VIRTQ_DESC_F_WRITE, 0);
	offer(0);
}

static void buffer_read_only(void)
{
	describe(0, (uint32_t)main, 16, VIRTQ_DESC_F_WRITE, 0);
	offer(0);
}

static void buffer_wraps(void)
{
	describe(0, (uint32_t)bytes, UINT32_MAX, VIRTQ_DESC_F_WRITE, 0);
	offer(0);
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{"HARD-03 available idx jumps", idx_jumps},
	{"HARD-04 head outside of the table", head_out_of_table},
	{"HARD-04 next outside of the table", next_out_of_table},
	{"HARD-05 chain loops", chain_loops},
	{"HARD-10 readable after writable", readable_after_writable},
	{"HARD-09 buffer is no RAM", buffer_in_a_hole},
	{"HARD-10 buffer is read-only", buffer_read_only},
	{"HARD-09 buffer leaves RAM", buffer_wraps},
};

static void try_crime(const struct device_map_entry *entry, unsigned i)
{
	const char *name = crimes[i].name;
	unsigned interrupts;
	uint32_t status;

	check(rng_init(&rng, entry) == 0, "%s: device comes up", name);
	check(rng_read(&rng, bytes, sizeof(bytes)) == 0, "%s: device works before", name);

	/* A fresh queue, so that positions are known. */
	check(rng_init(&rng, entry) == 0, "%s: device comes up again", name);
	crimes[i].commit();
	mmio_kick(&rng.dev, 0, 0);
	check(virtq_wait(&rng.vq) == -EIO, "%s: driver is told, BASE-DEV-09", name);
	status = mmio_read(&rng.dev, VIRTIO_MMIO_STATUS);
	check(status & VIRTIO_STATUS_DEVICE_NEEDS_RESET, "%s: status is 0x%x, BASE-DEV-10", name,
		status);

	/* No answers and no more notices from now on. */
	interrupts = atomic_load(&rng.dev.interrupts);
	mmio_kick(&rng.dev, 0, 0);
	mmio_kick(&rng.dev, 0, 0);
	check(mmio_read(&rng.dev, VIRTIO_MMIO_STATUS) == status, "%s: status stays", name);
	check(!virtq_pending(&rng.vq), "%s: nothing was used", name);
	check(atomic_load(&rng.dev.interrupts) == interrupts, "%s: silence", name);
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_ENTROPY);

	for (unsigned i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++)
		try_crime(entry, i);
	check(rng_init(&rng, entry) == 0, "device comes up at last");
	check(rng_read(&rng, bytes, sizeof(bytes)) == 0, "and works");
	return check_done();
}
