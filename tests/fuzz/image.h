/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

/*
 * An image from a file to guest memory, without KVM: what it is taken for, opened, loaded, shown,
 * and its symbols looked up. Afterwards nothing is written but where the image's own regions are.
 */

#include <stddef.h>
#include <stdint.h>

/* boot: as --boot has it. The input is the image, and behind it the bytes
 * of a struct image_trailer. */
void image_run(const char *boot, const uint8_t *data, size_t size);

/* All little-endian; an input that is shorter has zeros, which stand for what vole has if nothing
 * is asked for. */
struct image_trailer {
	uint32_t memory;  /* pages of RAM */
	uint32_t load;    /* --load, if IMAGE_LOAD */
	uint32_t padding; /* zeros added to the image, modulo 1 MiB */
	uint32_t address; /* whose symbol is looked up */
	uint16_t cmdline; /* its length, modulo VOLE_CMDLINE_MAX */
	uint8_t cpus;
	uint8_t flags; /* IMAGE_ values */
};

enum {
	IMAGE_LOAD = 1,
	IMAGE_INITRD = 2,
	IMAGE_MODULE = 4,
	IMAGE_PAD_FRONT = 8, /* padding comes before the image: its end is what matters */
	IMAGE_VERBOSE = 16,
	IMAGE_HIGH = 32, /* address is in the upper half of 64 bits */
};

#endif
