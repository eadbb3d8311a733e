/* SPDX-License-Identifier: BSD-2-Clause */
#include "block.h"

#include <errno.h>

#include "device.h"

struct fuzz_block {
	struct device_run run;
	struct fake_block host;
	struct virtio_block blk;
};

static void host_side(struct device_run *run)
{
	struct fuzz_block *f = (struct fuzz_block *)run;
	unsigned how = take(&run->in, 1);

	f->host.max = how & 1 ? take(&run->in, 2) : 0;
	f->host.fail_after = how & 2 ? take(&run->in, 2) : SIZE_MAX;
	f->host.end = how & 4;
	f->host.flush_error = how & 8 ? -EIO : 0;
	/* Seen by the device when it is told of a change. */
	if (how & 16)
		f->host.backend.capacity = take(&run->in, 1) % (FAKE_DISK_SECTORS + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_block f;
	unsigned how;

	device_begin(&f.run, data, size);
	f.run.host_side = host_side;
	fake_block_init(&f.host);
	f.host.on_transfer = device_meddle;
	f.host.ctx = &f.run;
	how = take(&f.run.in, 1);
	f.host.backend.read_only = how & 1;
	f.host.backend.can_unmap = !(how & 2);
	virtio_block_init(&f.blk, &f.host.backend, 2, &f.run.driver.ram.gmem, &driver_host_ops,
		&f.run.driver.host);
	if (how & 4)
		virtio_block_mask(&f.blk, BLOCK_CHOICES);
	device_end(&f.run, &f.blk.dev);
	return 0;
}
