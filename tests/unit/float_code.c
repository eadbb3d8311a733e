/* SPDX-License-Identifier: BSD-2-Clause */
/* Which instructions are those of the x87 FPU, MMX, SSE and AVX. */
#include "cpu/float_code.h"

#include <string.h>

#include "../tap.h"

#define CODE(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void test_float_code(void)
{
	ok(is_float_code(CODE(0x9b)), "fwait");
	ok(is_float_code(CODE(0x9b, 0xdb, 0xe3)), "finit");
	ok(is_float_code(CODE(0xd9, 0x44, 0x24, 0x0c)), "flds 12(%%esp)");
	ok(is_float_code(CODE(0x66, 0x0f, 0xef, 0xc0)), "pxor %%xmm0, %%xmm0");
	ok(is_float_code(CODE(0x0f, 0xef, 0xc0)), "pxor %%mm0, %%mm0");
	ok(is_float_code(CODE(0x0f, 0x11, 0x00)), "movups %%xmm0, (%%eax)");
	ok(is_float_code(CODE(0xf3, 0x0f, 0x10, 0x00)), "movss (%%eax), %%xmm0");
	ok(is_float_code(CODE(0x66, 0x48, 0x0f, 0x6e, 0xc0)), "movq %%rax, %%xmm0");
	ok(is_float_code(CODE(0xc5, 0xf9, 0xef, 0xc0)), "vpxor %%xmm0, %%xmm0, %%xmm0");
}

static void test_others(void)
{
	ok(!is_float_code(CODE(0x0f, 0x0b)), "ud2");
	ok(!is_float_code(CODE(0xc5, 0x01)), "lds (%%ecx), %%eax");
	ok(!is_float_code(CODE(0x0f, 0xc7, 0x08)), "cmpxchg8b (%%eax)");
	ok(!is_float_code(CODE(0x0f, 0xff, 0xc0)), "ud0");
	ok(!is_float_code(CODE(0x00, 0x0f)), "add %%cl, (%%edi)");
	ok(!is_float_code(CODE(0x66, 0x66, 0x66)), "prefixes alone");
	ok(!is_float_code(CODE(0x0f)), "an instruction that is cut off");
}

int main(void)
{
	test_float_code();
	test_others();
	return tap_done();
}
