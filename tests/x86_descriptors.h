/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_X86_DESCRIPTORS_H
#define TESTS_X86_DESCRIPTORS_H

/* Descriptors, and where the tests of transfers have their tables. */

#include <stdint.h>

#define GDT    0x1000u
#define IDT    0x2000u
#define RETURN 0x00400010u /* the address behind the instruction that transfers */
#define VECTOR 0x21        /* of the gate in the IDT */

/* Selectors that are in every GDT of these tests. */
enum {
	CODE_0 = 0x08,
	DATA_0 = 0x10,
	CODE_3 = 0x18,
	DATA_3 = 0x20,
};

/* Segments of 4 GiB, and of limit bytes, with a type as bits 47:40 have it; and those of the
 * system, whose base is below 16 MiB (SDM 3, 3.4.5). */
#define FLAT(type)         (UINT64_C(0x00cf00000000ffff) | (uint64_t)(type) << 40)
#define SMALL(type, limit) (UINT64_C(0x0040000000000000) | (uint64_t)(type) << 40 | (limit))
#define SYSTEM_SEGMENT(base, limit, type) \
	((uint64_t)(limit) | (uint64_t)(base) << 16 | (uint64_t)(type) << 40)

#endif
