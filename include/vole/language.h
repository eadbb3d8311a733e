/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_LANGUAGE_H
#define VOLE_LANGUAGE_H

/*
 * These macros stand for what C from C99 on and C++ from C++11 on write differently, so that the
 * headers of this folder mean the same in both. Assembly that goes through the C preprocessor (gcc
 * -c kernel.S) sees the constants alone: all else is hidden where __ASSEMBLER__ is defined, as gcc
 * and clang do there.
 *
 * __extension__ has both compilers accept what only a later edition of the language has.
 */

/* An unsigned number: assembly has no suffix for it. */
#ifdef __ASSEMBLER__
#define VOLE_U(number) number
#else
#define VOLE_U(number) number##u
#endif

#ifdef __cplusplus
#define VOLE_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define VOLE_STATIC_ASSERT(condition, text) __extension__ _Static_assert(condition, text)
#endif

/* An integer that another CPU or a device changes meanwhile. C++ has no _Atomic with this layout by
 * its standard: there it is a plain integer, to be reached by __atomic_load_n(&x, __ATOMIC_ACQUIRE)
 * and its kin. */
#ifdef __cplusplus
#define VOLE_ATOMIC(type) type
#else
#define VOLE_ATOMIC(type) __extension__ _Atomic type
#endif

#endif
