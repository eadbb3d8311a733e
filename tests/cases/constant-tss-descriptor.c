/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LTR sets the busy flag in the descriptor of the TSS (type 9 becomes 11), which lies in a const
 * GDT. This is the CPU's own write: it is made, and the kernel works.
 *   run: --timeout 30
 *   status: 0
 *   says nothing
 *   prints: TSS is busy\n
 */
#include "case.h"

#define TSS 0x18

static const uint64_t gdt[] = {
	0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x0000890100000067 /* at 0x10000 */};

int main(const struct start_info *info)
{
	const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr = {sizeof gdt - 1, (uint32_t)gdt};
	uint16_t task;

	(void)info;
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("ltr %w0" : : "r"(TSS));
	__asm__ volatile("str %0" : "=r"(task));
	if (task == TSS && ((const volatile uint8_t *)gdt)[TSS + 5] == 0x8b)
		print("TSS is busy\n");
	return 0;
}
