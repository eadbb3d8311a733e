/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel's stack is too small. A word on the command line says which one, and what for.
 *   run: --timeout 20 -- recursion
 *   status: 126
 *   says: guest crashed: the boot stack \(0x4000 to 0x7fff\) has overflowed at 0x[0-9a-f]{8} \(deep\+0x
 *   says: CPU 0 stores .* which is read-only
 *   says: deep\+0x[0-9a-f]+ 1\d times
 *
 *   run: --timeout 20 -- arrays
 *   status: 126
 *   says: guest crashed: the boot stack \(0x4000 to 0x7fff\) has overflowed at 0x[0-9a-f]{8} \(deep_arrays\+0x
 *
 * A frame as large as all that lies below the stack: it leaves out what cannot be written.
 *   run: --timeout 20 -- large
 *   status: 126
 *   says: guest crashed: the boot stack \(0x4000 to 0x7fff\) has overflowed at 0x[0-9a-f]{8} \(large\+0x
 *   says: CPU 0 stores .* to 0xffff[0-9a-f]{4}, where nothing answers
 *
 * An exception, whose frame has no room. (Some processors keep nothing of the triple
 * fault that this becomes.)
 *   run: --timeout 20 -- exception
 *   status: 126
 *   says: the boot stack \(0x4000 to 0x7fff\) has overflowed at 0x[0-9a-f]{8} \(main\+0x|registers: lost
 *
 * A stack of the kernel's own, on the page above what is read-only.
 *   run: --timeout 20 -- own
 *   status: 126
 *   says: guest crashed: the stack that begins at 0x[0-9a-f]{5}000 has overflowed at 0x[0-9a-f]{8} \(deep\+0x
 *   says: which is read-only
 *
 *   run: --timeout 20 -- pointer
 *   status: 126
 *   says: guest crashed: ESP is 0xd00dfee[9d] at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\), where no stack can be
 *
 * A CPU that is started without a stack.
 *   run: --timeout 20 -c 2 -- without
 *   status: 126
 *   says: guest crashed: CPU 1 uses a stack at 0x[0-9a-f]{8} \(pushes\+0x[0-9a-f]+\), but was started without one
 */
#include "case.h"

static uint8_t stack[4096] __attribute__((aligned(4096), section(".data.first"))) = {1};

static volatile int never; /* the end of the recursion, forgotten */

APART static int deep(int count)
{
	return count == never ? 0 : deep(count + 1) + count;
}

APART static int deep_arrays(volatile uint8_t *bytes)
{
	volatile uint8_t more[256];

	more[0] = bytes[0];
	return more[0] == never ? 0 : deep_arrays(more) + more[0];
}

APART static int large(void)
{
	volatile uint8_t bytes[0x9000];

	/* clang leaves out what it sees unused of the array. */
	__asm__ volatile("" : : "r"(bytes) : "memory");
	bytes[0] = 1;
	return bytes[0];
}

void pushes(void);
__asm__("pushes: push %eax\n\tjmp .\n");

int main(const struct start_info *info)
{
	struct cpu_start start = {1, (uint32_t)pushes, 0, 0};

	switch (((const char *)info->cmdline)[0]) {
	case 'r':
		return deep(1);
	case 'a':
		return deep_arrays((uint8_t *)stack);
	case 'l':
		return large();
	case 'e':
		__asm__ volatile("mov $0x4004, %esp; ud2");
		break;
	case 'o':
		__asm__ volatile("mov %0, %%esp; push $1; call *%1"
				 :
				 : "r"(stack + sizeof stack), "r"(deep));
		break;
	case 'p':
		__asm__ volatile("mov $0xd00dfeed, %esp; push %eax");
		break;
	case 'w':
		__asm__ volatile("outl %0, %1"
				 :
				 : "a"(&start), "Nd"((uint16_t)VOLE_PORT_CPU)
				 : "memory");
		for (;;)
			;
	}
	return 1;
}
