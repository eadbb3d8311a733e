/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_X86_H
#define GUEST_X86_H

/* The instructions that C has no words for. */

#include <stddef.h>
#include <stdint.h>

/* --- ports ------------------------------------------------------------------------------------ */

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* len bytes at data to one port. */
static inline void out8_string(uint16_t port, const void *data, size_t len)
{
	__asm__ volatile("cld; rep outsb" : "+S"(data), "+c"(len) : "d"(port) : "memory");
}

/* --- registers of devices ---
 *
 * Each is one mov of just this width, which a volatile pointer would not promise. The compiler
 * keeps all memory accesses on their side of it; the CPU does so too, because device memory is
 * uncached and x86 does not reorder stores (Intel SDM 3, 9.2.2).
 */

static inline uint8_t read8(uint32_t address)
{
	uint8_t value;

	__asm__ volatile("movb (%1), %0" : "=q"(value) : "r"(address) : "memory");
	return value;
}

static inline uint16_t read16(uint32_t address)
{
	uint16_t value;

	__asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline uint32_t read32(uint32_t address)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void write8(uint32_t address, uint8_t value)
{
	__asm__ volatile("movb %0, (%1)" : : "q"(value), "r"(address) : "memory");
}

static inline void write16(uint32_t address, uint16_t value)
{
	__asm__ volatile("movw %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline void write32(uint32_t address, uint32_t value)
{
	__asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

/* --- this CPU --------------------------------------------------------------------------------- */

#define EFLAGS_IF (1u << 9) /* interrupts are on */

static inline void interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

/* Returns what interrupts_restore() needs to bring back the state before. */
static inline uint32_t interrupts_off(void)
{
	unsigned long eflags;

	__asm__ volatile("pushf; pop %0; cli" : "=r"(eflags) : : "memory");
	return eflags;
}

static inline void interrupts_restore(uint32_t eflags)
{
	if (eflags & EFLAGS_IF)
		interrupts_on();
}

/*
 * Turn interrupts on and sleep until one was handled, then turn them off again. To be called with
 * interrupts off: sti takes effect only after the instruction that follows it (Intel SDM 2, STI),
 * so an interrupt that comes before hlt still ends that hlt.
 */
static inline void halt_once(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

__attribute__((noreturn)) static inline void halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

/* Between two looks at something that another CPU will change. */
static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline uint64_t read_tsc(void)
{
	uint64_t tsc;

	__asm__ volatile("rdtsc" : "=A"(tsc));
	return tsc;
}

/* The address that a page fault was about. */
static inline uint32_t read_cr2(void)
{
	uint32_t value;

	__asm__ volatile("movl %%cr2, %0" : "=r"(value));
	return value;
}

/* --- arithmetic ------------------------------------------------------------------------------- */

/*
 * *value / divisor, and the remainder. The compiler would call a function of its run-time library
 * for this, which kernels are linked without; two 64-by-32-bit divisions do it, and neither can
 * overflow, since each takes a remainder smaller than the divisor as its upper half.
 */
static inline uint32_t divide64(uint64_t *value, uint32_t divisor)
{
	uint32_t high = (uint32_t)(*value >> 32);
	uint32_t low = (uint32_t)*value;
	uint32_t remainder = high % divisor;

	high /= divisor;
	__asm__("divl %2" : "+a"(low), "+d"(remainder) : "rm"(divisor));
	*value = (uint64_t)high << 32 | low;
	return remainder;
}

#endif
