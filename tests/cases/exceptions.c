/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel raises an exception before it has an interrupt table. A word on the
 * command line says which; it is raised in the function raise().
 *   run: --timeout 20 -- divide
 *   status: 126
 *   says: guest crashed: divide error \(0\) on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\)
 *   says: the kernel has loaded no interrupt table of its own \(LIDT\)
 *   says: called from main\+0x
 *   says: EAX
 *   says: EIP 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\)
 *   says not: triple fault|registers: lost
 *   prints: begin
 *
 *   run: --timeout 20 -- invalid-opcode
 *   status: 126
 *   says: guest crashed: invalid opcode \(6\) on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\)
 *   says: code at EIP: 0f 0b
 *
 *   run: --timeout 20 -- breakpoint
 *   status: 126
 *   says: guest crashed: breakpoint \(3\) on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\)
 *   says: code at EIP: cc
 *
 *   run: --timeout 20 -- system-call
 *   status: 126
 *   says: guest crashed: INT 0x80 without a handler on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\)
 *   says: code at EIP: cd 80
 *
 * A vector that has an error code, but not if INT n asks for it.
 *   run: --timeout 20 -- int-13
 *   status: 126
 *   says: guest crashed: general protection \(13\) on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\)
 *   says: code at EIP: cd 0d
 *
 *   run: --timeout 20 -- segment
 *   status: 126
 *   says: guest crashed: general protection \(13\), error code 0x28: selector 0x28 on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x
 *
 * A selector of the LDT, which no LLDT has loaded.
 *   run: --timeout 20 -- local-segment
 *   status: 126
 *   says: guest crashed: general protection \(13\), error code 0xc: selector 0x8 in the LDT on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x
 *   says not: null pointer
 *
 *   run: --timeout 20 -- msr
 *   status: 126
 *   says: guest crashed: general protection \(13\), error code 0x0 on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\): read of MSR 0x12345678: this CPU has none that can be read there\n
 *   says: ECX 12345678
 *
 *   run: --timeout 20 -- write-msr
 *   status: 126
 *   says: guest crashed: general protection \(13\), error code 0x0 on CPU 0 at 0x[0-9a-f]{8} \(raise\+0x[0-9a-f]+\): write of 0x2000000001 to MSR 0x12345678: this CPU has none that takes it\n
 *
 * SSE: CR4 does not permit it, and some CPUs do not have it.
 *   run: --timeout 20 -- floating-point
 *   status: 126
 *   says: (?s)^(?=.*-mgeneral-regs-only).*(?:invalid opcode \(6\) on CPU 0|CPU 0 cannot execute the instruction) at 0x[0-9a-f]{8} \(raise\+0x
 *   says not: -mgeneral-regs-only[^\0]*-mgeneral-regs-only
 *
 * Some hosts' KVM refuses to turn paging on outside of long mode, by an exception.
 *   run: --timeout 20 -- page-fault
 *   status: 126
 *   says: page fault \(14\) on CPU 0 at .*\(raise\+0x.*write to 0x00800000, not mapped|general protection \(13\).*\(raise\+0x
 *
 * A second CPU, which begins with the same interrupt table, raises an invalid opcode.
 *   run: --timeout 20 -c 2 -- other-cpu
 *   status: 126
 *   says: guest crashed: invalid opcode \(6\) on CPU 1 at 0x[0-9a-f]{8} \(raise_on_other\+0x
 */
#include "case.h"

#define PAGE_DIRECTORY 0x200000

static volatile int zero;
static uint32_t other_stack[64];

static int is(const char *word, const char *other)
{
	while (*word && *word == *other) {
		word++;
		other++;
	}
	return *word == *other;
}

/* Paging, with the first 4 MiB mapped, and an access to what is not. */
static inline __attribute__((always_inline)) void page(void)
{
	write32(PAGE_DIRECTORY, 0x83);
	__asm__ volatile("mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4; mov %0, %%cr3;"
			 "mov %%cr0, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0"
			 :
			 : "r"(PAGE_DIRECTORY)
			 : "eax", "memory");
	write32(0x800000, 1);
}

APART static void raise(const char *what)
{
	if (is(what, "divide"))
		zero = 5 / zero;
	else if (is(what, "invalid-opcode"))
		__asm__ volatile("ud2");
	else if (is(what, "breakpoint"))
		__asm__ volatile("int3");
	else if (is(what, "system-call"))
		__asm__ volatile("int $0x80");
	else if (is(what, "int-13"))
		__asm__ volatile("int $13");
	else if (is(what, "segment"))
		__asm__ volatile("mov %0, %%ds" : : "r"(0x28));
	else if (is(what, "local-segment"))
		__asm__ volatile("mov %0, %%ds" : : "r"(0xc));
	else if (is(what, "msr"))
		__asm__ volatile("rdmsr" : : "c"(0x12345678) : "eax", "edx");
	else if (is(what, "write-msr"))
		__asm__ volatile("wrmsr" : : "c"(0x12345678), "a"(1), "d"(0x20));
	else if (is(what, "floating-point"))
		__asm__ volatile("movups %xmm0, %xmm1");
	else if (is(what, "page-fault"))
		page();
}

static void raise_on_other(uint32_t argument)
{
	(void)argument;
	__asm__ volatile("ud2");
}

int main(const struct start_info *info)
{
	const char *what = (const char *)info->cmdline;
	struct cpu_start start = {1, (uint32_t)raise_on_other, (uint32_t)(other_stack + 64), 0};

	print("begin\n");
	raise(what);
	if (is(what, "other-cpu")) {
		__asm__ volatile("outl %0, %1"
				 :
				 : "a"(&start), "Nd"((uint16_t)VOLE_PORT_CPU)
				 : "memory");
		for (;;)
			;
	}
	return 1;
}
