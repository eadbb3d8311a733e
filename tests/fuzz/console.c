/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include <errno.h>

#include "device.h"

struct fuzz_console {
	struct device_run run;
	struct fake_console host, other; /* of port 0, of port 1 if there is one */
	struct virtio_console con;
};

static void host_side(struct device_run *run)
{
	struct fuzz_console *f = (struct fuzz_console *)run;
	unsigned how = take(&run->in, 1);

	f->host.input_max = how & 1 ? take(&run->in, 1) : 0;
	f->host.input_end = how & 2;
	f->host.output_error = how & 4 ? -EIO : 0;
	f->host.output_room = how & 8 ? take(&run->in, 2) : SIZE_MAX;
	f->host.input_len = take_bytes(&run->in, how >> 4, &f->host.input);
	f->host.rows ^= how & 1; /* a window of another size: seen when the configuration changes */
	if (f->con.control.port_count == 1)
		return;
	f->other.away = how & 1;
	f->other.input_len = take_bytes(&run->in, how >> 4, &f->other.input);
	virtio_backend_ready(&f->con.dev, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_console f;
	struct input *in = &f.run.in;
	const struct console_port_host ports[] = {
		{&f.host.backend, NULL}, {&f.other.backend, "other"}};

	device_begin(&f.run, data, size);
	f.run.host_side = host_side;
	fake_console_init(&f.host, take(in, 1), take(in, 1));
	fake_console_init(&f.other, 0, 0);
	virtio_console_init(&f.con, ports, 1 + (f.host.cols >= 0xc0), f.host.cols >= 0x80,
		&f.run.driver.ram.gmem, &driver_host_ops, &f.run.driver.host);
	device_end(&f.run, &f.con.dev);
	return 0;
}
