/* SPDX-License-Identifier: BSD-2-Clause */
#include "rng.h"

#include <errno.h>

#include "device.h"

struct fuzz_rng {
	struct device_run run;
	struct fake_rng host;
	struct virtio_rng rng;
};

static void host_side(struct device_run *run)
{
	struct fuzz_rng *f = (struct fuzz_rng *)run;

	f->host.max = take(&run->in, 1);
	f->host.error = take(&run->in, 1) == 1 ? -EIO : 0;
	f->host.left = f->host.max == 1 ? take(&run->in, 1) : SIZE_MAX;
	virtio_backend_ready(&f->rng.dev, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_rng f;

	device_begin(&f.run, data, size);
	f.run.host_side = host_side;
	fake_rng_init(&f.host);
	f.host.on_fill = device_meddle;
	f.host.ctx = &f.run;
	virtio_rng_init(&f.rng, &f.host.backend, &f.run.driver.ram.gmem, &driver_host_ops,
		&f.run.driver.host);
	device_end(&f.run, &f.rng.dev);
	return 0;
}
