/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A jump to another task, while the TSS of the current one is const: the CPU cannot save its state
 * there.
 *   run: --timeout 30
 *   status: 126
 *   says: guest crashed: CPU 0 itself saves a task in a TSS at 0x[0-9a-f]{8} \(old_tss\+0x20\), which is read-only
 *   says: a task switch writes to the TSSs \(Intel SDM 3, 8\.3\): they must not be const
 *   says: by the instruction (before or )?at 0x[0-9a-f]{8} \(main\+
 *   says not: stores
 *   prints: ^before the switch\n$
 */
#include "case.h"

#define CODE    0x08
#define DATA    0x10
#define OLD_TSS 0x18
#define NEW_TSS 0x20

static const uint32_t old_tss[26];
static uint32_t new_tss[26];
static uint32_t new_stack[64];
static uint64_t gdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0, 0};

/* A present, available 32-bit TSS. */
static void set_tss_descriptor(uint32_t selector, const void *tss)
{
	uint64_t base = (uint32_t)tss;

	gdt[selector / 8] = 0x0000890000000067 | (base & 0xffffff) << 16 | base >> 24 << 56;
}

static void new_task(void)
{
	print("the other task\n");
	for (;;)
		__asm__ volatile("hlt");
}

int main(const struct start_info *info)
{
	const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr = {sizeof gdt - 1, (uint32_t)gdt};

	(void)info;
	set_tss_descriptor(OLD_TSS, old_tss);
	set_tss_descriptor(NEW_TSS, new_tss);
	new_tss[8] = (uint32_t)new_task; /* EIP */
	new_tss[9] = 2;                  /* EFLAGS */
	new_tss[14] = (uint32_t)(new_stack + 64);
	new_tss[19] = CODE;
	new_tss[18] = new_tss[20] = new_tss[21] = new_tss[22] = new_tss[23] = DATA;
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("ltr %w0" : : "r"(OLD_TSS));
	print("before the switch\n");
	__asm__ volatile("ljmp %0, $0" : : "i"(NEW_TSS) : "memory");
	print("after the switch\n");
	return 0;
}
