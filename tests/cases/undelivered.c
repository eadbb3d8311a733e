/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel loads an interrupt table of its own with a mistake in it, and then executes UD2, an
 * invalid opcode. Only the software CPU is asked why the exception could not be delivered: some
 * processors keep nothing of a triple fault.
 *
 *   build: -DEMPTY_TABLE
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: guest crashed: invalid opcode \(6\) on CPU 0 at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\); it could not be delivered: no interrupt table is loaded
 *   says: triple fault
 *   says: code at EIP: 0f 0b
 *   build: -DSHORT_TABLE
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: it could not be delivered: gate 6 is beyond the IDT \(limit 0x2f\)
 *   build: -DNO_GATE
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: it could not be delivered: gate 6 is empty
 *   build: -DNOT_PRESENT
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: it could not be delivered: gate 6 is not present
 *   build: -DWRONG_TYPE
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: it could not be delivered: gate 6 has type 0xc, which is no interrupt gate's
 *   build: -DSELECTOR=0x38
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: it could not be delivered: gate 6 names selector 0x38, beyond the GDT \(limit 0x17\)
 *   says: its delivery raised general protection \(13\), error code 0x39: selector 0x38
 *   build: -DSELECTOR=0x10
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: it could not be delivered: gate 6 names selector 0x10, which is not a code segment
 *   build: -DSELECTOR=0
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: it could not be delivered: gate 6 names the null selector
 */
#include "case.h"

#ifndef SELECTOR
#define SELECTOR 8 /* the code segment that a kernel finds at its entry */
#endif

struct gate {
	uint16_t offset_low, selector, attributes, offset_high;
};

struct __attribute__((packed)) table {
	uint16_t limit;
	uint32_t base;
};

#ifdef WRONG_TYPE
#define ATTRIBUTES 0x8c00 /* a call gate */
#elif defined(NOT_PRESENT)
#define ATTRIBUTES 0x0e00
#else
#define ATTRIBUTES 0x8e00 /* an interrupt gate of 32 bits */
#endif

static struct gate gates[32];

static void handler(void)
{
	print("handled\n");
}

static void set_gates(void)
{
	uint32_t offset = (uint32_t)handler;

	for (unsigned i = 0; i < sizeof gates / sizeof *gates; i++)
		gates[i] = (struct gate){
			(uint16_t)offset, SELECTOR, ATTRIBUTES, (uint16_t)(offset >> 16)};
#ifdef NO_GATE
	for (unsigned i = 0; i < sizeof gates / sizeof *gates; i++)
		gates[i] = (struct gate){0, 0, 0, 0};
#endif
}

int main(const struct start_info *info)
{
	struct table idt = {sizeof gates - 1, (uint32_t)gates};

	(void)info;
#ifdef EMPTY_TABLE
	idt.limit = 0;
#elif defined(SHORT_TABLE)
	idt.limit = 6 * sizeof *gates - 1;
#endif
	set_gates();
	__asm__ volatile("lidt %0\n\tud2" : : "m"(idt));
	return 0;
}
