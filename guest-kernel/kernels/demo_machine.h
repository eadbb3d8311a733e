/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_MACHINE_H
#define DEMO_MACHINE_H

/*
 * The machine as the demo knows it: starts its devices and CPUs, and prints what they are.
 * Everything is called on the boot CPU.
 */

#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "console.h"
#include "rng.h"
#include "start.h"

#define DEMO_DISKS_MAX    16  /* more than vole's machine can have */
#define DEMO_RNG_SHOW_MAX 256 /* bytes that demo_show_random() prints at most */

struct demo {
	const struct start_info *boot; /* set by main() */
	bool have_console, have_rng;   /* console, rng are valid */
	struct console console;
	struct rng rng;
	unsigned disk_count;
	struct block disks[DEMO_DISKS_MAX];
	int failures; /* number of things that did not work */
};

extern struct demo demo;

/* Prints that something did not work, with its error, and counts it. */
void demo_fail(const char *what, int error);

/* Print what the VMM says about the machine: start_info, the memory map, the device map. */
void demo_show_info(void);
void demo_show_memory(void);
void demo_show_devices(void);

/* Starts the first console, the first entropy device and all disks, and prints a line about each.
 * Once there is a console, printf() writes to it. */
void demo_start_devices(void);

/* Prints how often each device that was started has interrupted. */
void demo_show_interrupts(void);

/* Prints count random bytes, 1 to DEMO_RNG_SHOW_MAX, of the entropy device. */
void demo_show_random(unsigned count);

/* Prints the text in a sector, up to the first NUL. */
void demo_show_sector(struct block *disk, uint32_t sector);

/* Starts the other CPUs. demo_show_cpus() prints how long each took to start. */
void demo_start_cpus(void);
void demo_show_cpus(void);

#endif
