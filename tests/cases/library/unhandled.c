/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels with the guest library make mistakes that have the same reports as without. A word on
 * the command line says which.
 *   run: --timeout 20 -- divide
 *   status: 126
 *   says: guest crashed: divide error \(0\) on CPU 0 at 0x[0-9a-f]{8} \(divide\+0x[0-9a-f]+\)
 *   says: called from main\+0x
 *   says: EAX
 *   says: EIP 0x[0-9a-f]{8} \(divide\+0x
 *   says not: no interrupt table
 *
 *   run: --timeout 20 -- load
 *   status: 126
 *   says: CPU 0 loads 4 bytes from 0x00000000, through a null pointer
 *   says: by the instruction at 0x[0-9a-f]{8} \(main\+0x
 *
 *   run: --timeout 20 -- call
 *   status: 126
 *   says: CPU 0 calls through a null pointer; return address 0x[0-9a-f]{8} \(main\+0x
 */
#include "start.h"
#include "string.h"

struct device {
	int state;
	void (*interrupt)(struct device *device);
};

static struct device device = {7, 0};
static volatile int zero;

/* Keeps a function apart from its callers, under its own name. */
#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noinline, noclone))
#endif

APART static void divide(void)
{
	zero = 5 / zero;
}

int main(const struct start_info *info)
{
	const char *mistake = (const char *)info->cmdline;
	struct device *volatile none = 0;

	if (strcmp(mistake, "divide") == 0)
		divide();
	else if (strcmp(mistake, "load") == 0)
		return none->state;
	else
		device.interrupt(&device);
	return device.state;
}
