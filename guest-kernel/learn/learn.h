/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_H
#define LEARN_H

/*
 * The part of the course "A virtio driver in seven steps" (spec/learn/) that is not virtio: how its
 * kernels print, how they end, and how they access a register. Each step adds one header to the
 * driver, and has one kernel that tries it.
 *
 * A kernel is compiled twice. With -DMISTAKE=4, the driver makes the mistake of step 4; without,
 * it makes none.
 */

#include <stdbool.h>

#include <vole/ports.h>
#include <vole/start_info.h>
#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif

/* vole names the function in which something happens. So the driver's functions stay apart from
 * their callers, but those that access a register become a part of them. A kernel need not use all
 * that it includes. */
#define PART           static __attribute__((noinline, unused))
#define PART_OF_CALLER static inline __attribute__((always_inline))

int main(const struct start_info *info);

static uint32_t window; /* address of the device's registers; 0: no device was found yet */
static uint32_t pin;    /* pin of the IOAPIC on which the device interrupts */

PART void print(const char *text)
{
	for (; *text; text++)
		__asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"((uint16_t)VOLE_PORT_DEBUG));
}

PART void print_number(uint32_t number)
{
	char digits[11], *text = &digits[10];

	*text = '\0';
	do
		*--text = (char)('0' + number % 10);
	while (number /= 10);
	print(text);
}

PART void print_address(uint32_t address)
{
	print("0x");
	for (int shift = 28; shift >= 0; shift -= 4)
		print((char[2]){"0123456789abcdef"[address >> shift & 15], '\0'});
}

/* Reads a register of the device, by one load of 32 bits (virtio 4.2.2.2). */
PART_OF_CALLER uint32_t get(uint32_t offset)
{
	return *(volatile uint32_t *)(window + offset);
}

/* Writes a register of the device, by one store of 32 bits (virtio 4.2.2.2). */
PART_OF_CALLER void set(uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(window + offset) = value;
}

/* Gives up: says why, sets FAILED in Status (virtio 2.1), and ends the machine with exit status
 * 1. */
PART _Noreturn void fail(const char *why)
{
	print(why);
	print("\n");
	if (window)
		set(VIRTIO_MMIO_STATUS, get(VIRTIO_MMIO_STATUS) | VIRTIO_STATUS_FAILED);
	for (;;)
		__asm__ volatile("outl %0, %1" : : "a"(1), "Nd"((uint16_t)VOLE_PORT_EXIT));
}

#endif
