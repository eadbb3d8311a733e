/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_LE_H
#define VOLE_LE_H

/*
 * Little-endian scalars, as virtio lays them out in memory (virtio 1.4).
 *
 * Each is a structure with one member, so that a value in device order cannot be used as a number
 * by mistake: it has to go through one of the functions below. On a little-endian machine they cost
 * nothing.
 */

#ifndef __ASSEMBLER__

#include <stdint.h>

#include <vole/language.h>

typedef struct {
	uint16_t raw;
} le16;

typedef struct {
	uint32_t raw;
} le32;

typedef struct {
	uint64_t raw;
} le64;

/* Those that the other side changes while we look: only atomic loads and stores reach them. */
typedef struct {
	VOLE_ATOMIC(uint16_t) raw;
} le16_atomic;

typedef struct {
	VOLE_ATOMIC(uint32_t) raw;
} le32_atomic;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define VOLE_SWAP16(x) (x)
#define VOLE_SWAP32(x) (x)
#define VOLE_SWAP64(x) (x)
#else
#define VOLE_SWAP16(x) __builtin_bswap16(x)
#define VOLE_SWAP32(x) __builtin_bswap32(x)
#define VOLE_SWAP64(x) __builtin_bswap64(x)
#endif

static inline uint16_t le16_to_cpu(le16 x)
{
	return VOLE_SWAP16(x.raw);
}

static inline uint32_t le32_to_cpu(le32 x)
{
	return VOLE_SWAP32(x.raw);
}

static inline uint64_t le64_to_cpu(le64 x)
{
	return VOLE_SWAP64(x.raw);
}

static inline le16 cpu_to_le16(uint16_t x)
{
	le16 le = {VOLE_SWAP16(x)};

	return le;
}

static inline le32 cpu_to_le32(uint32_t x)
{
	le32 le = {VOLE_SWAP32(x)};

	return le;
}

static inline le64 cpu_to_le64(uint64_t x)
{
	le64 le = {VOLE_SWAP64(x)};

	return le;
}

#endif /* __ASSEMBLER__ */
#endif
