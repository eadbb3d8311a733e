/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CASE_H
#define CASE_H

/* The kernels of tests/cases/ share this, which is as little as a tutorial begins with. */

#include <vole/ports.h>
#include <vole/start_info.h>

int main(const struct start_info *info);

/* Keeps a function apart from its callers, under its own name. */
#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noinline, noclone))
#endif

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void print(const char *text)
{
	while (*text)
		outb(VOLE_PORT_DEBUG, (uint8_t)*text++);
}

static inline uint32_t read32(uint32_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void write32(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

#endif
