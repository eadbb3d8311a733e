/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel goes to where no memory is. A word on the command line says how.
 *   run: --timeout 20 -- call
 *   status: 126
 *   says: guest crashed: CPU 0 calls 0x80000000, where no memory is; return address 0x[0-9a-f]{8} \(main\+0x
 *
 *   run: --timeout 20 -- jump
 *   status: 126
 *   says: guest crashed: CPU 0 jumps to 0x80000000, where no memory is; return address 0x[0-9a-f]{8} \(main\+0x
 *
 *   run: --timeout 20 -- return
 *   status: 126
 *   says: guest crashed: CPU 0 returns to 0x80000000, where no memory is
 *
 * Its stack pointer is lost, and RET finds zeros.
 *   run: --timeout 20 -- stack
 *   status: 126
 *   says: guest crashed: CPU 0 jumps or returns through a null pointer
 *   says: ESP 00012349
 *
 *   run: --timeout 20 -- write
 *   status: 126
 *   says: guest crashed: CPU 0 stores 0x1 \(4 bytes\) to 0xdeadbeec, where nothing answers
 *   says: by the instruction at 0x[0-9a-f]{8} \(main\+0x
 *   says not: RAM ends
 *
 * The kernel is made for more memory than there is.
 *   run: --timeout 20 --memory 8M -- beyond
 *   status: 126
 *   says: guest crashed: CPU 0 stores 0x1 \(4 bytes\) to 0x00800000, where nothing answers
 *   says: RAM ends at 0x007fffff \(--memory\)
 *   says: by the instruction at 0x[0-9a-f]{8} \(main\+0x
 *
 * The kernel executes the last bytes of RAM, and nothing there leads elsewhere.
 *   run: --timeout 20 --memory 8M -- off-the-end
 *   status: 126
 *   says: guest crashed: CPU 0 (?:jumps or )?runs on to 0x00800000, where no memory is; return address 0x[0-9a-f]{8} \(main\+0x
 *   says not: jumps to
 *
 * A jump to the same address
 *   run: --timeout 20 --memory 8M -- to-the-end
 *   engine: soft
 *   status: 126
 *   says: guest crashed: CPU 0 jumps to 0x00800000, where no memory is; return address 0x[0-9a-f]{8} \(main\+0x
 *
 * The kernel turns paging on without a page directory. (Some hosts' KVM cannot page outside
 * of long mode; some processors make a triple fault of it and keep nothing.)
 *   run: --timeout 20 -- paging
 *   engine: soft
 *   status: 126
 *   says: CPU 0 has paging on, but page directory entry 0x0 for the instruction at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\) is not in memory; CR3 is 0x00000000
 *   says not: jumps
 */
#include "case.h"

#define NOWHERE 0x80000000
#define RAM_END 0x800000 /* with --memory 8M */

APART static void jump(uint32_t address)
{
	__asm__ volatile("jmp *%0" : : "r"(address));
}

int main(const struct start_info *info)
{
	uint32_t nowhere = NOWHERE;

	/* clang's assembler takes no call of a constant address as far away as this. */
	__asm__("" : "+r"(nowhere));
	switch (((const char *)info->cmdline)[0]) {
	case 'c':
		((void (*)(void))nowhere)();
		break;
	case 'j':
		jump(NOWHERE);
		break;
	case 'o':
		write32(RAM_END - 4, 0x90909090);
		jump(RAM_END - 4);
		break;
	case 't':
		jump(RAM_END);
		break;
	case 'r':
		__asm__ volatile("push %0; ret" : : "r"(NOWHERE));
		break;
	case 's':
		__asm__ volatile("mov $0x12345, %esp; ret");
		break;
	case 'p':
		__asm__ volatile("mov %%cr0, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0; nop"
				 :
				 :
				 : "eax");
		break;
	case 'b':
		write32(0x800000, 1);
		break;
	case 'w':
		write32(0xdeadbeec, 1);
		break;
	}
	return 1;
}
