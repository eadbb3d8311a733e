/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel uses a null pointer. A word on the command line says what for.
 *   run: --timeout 20 -- load
 *   status: 126
 *   says: guest crashed: CPU 0 loads 4 bytes from 0x00000004, through a null pointer
 *   says: by the instruction at 0x[0-9a-f]{8} \(state_of\+0x
 *   says: called from main\+0x
 *
 *   run: --timeout 20 -- store
 *   status: 126
 *   says: guest crashed: CPU 0 stores 0x2 \(4 bytes\) to 0x00000004, through a null pointer
 *   says: by the instruction at 0x[0-9a-f]{8} \(set_state\+0x
 *
 *   run: --timeout 20 -- call
 *   status: 126
 *   says: guest crashed: CPU 0 calls through a null pointer; return address 0x[0-9a-f]{8} \(interrupt\+0x[0-9a-f]+\)
 *   says: called from interrupt\+0x
 *   says: from main\+0x
 *
 *   run: --timeout 20 -- jump
 *   status: 126
 *   says: guest crashed: CPU 0 jumps through a null pointer; return address 0x[0-9a-f]{8} \(main\+0x
 *   says not: loads 1 byte
 */
#include "case.h"

struct device {
	int id, state;
	void (*interrupt)(struct device *device);
};

static struct device broken; /* nobody has set its function */

APART static int state_of(struct device *device)
{
	return device->state;
}

APART static void set_state(struct device *device, int state)
{
	*(volatile int *)&device->state = state;
}

APART static void interrupt(struct device *device)
{
	device->interrupt(device);
	device->state++; /* so that the call is one, and not a jump */
}

/* As a compiler makes of a function's last call. */
APART static void jump(void)
{
	__asm__ volatile("jmp *%0" : : "r"(0));
}

int main(const struct start_info *info)
{
	struct device *volatile none = 0;

	switch (((const char *)info->cmdline)[0]) {
	case 'l':
		return state_of(none);
	case 's':
		set_state(none, 2);
		break;
	case 'c':
		interrupt(&broken);
		break;
	case 'j':
		jump();
		break;
	}
	return 1;
}
