/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

/*
 * Boot protocols: how a guest is loaded and started. Each is one file and one constant struct
 * boot_protocol, which recognises an image, lays out memory for it, loads it, sets the state in
 * which the first CPU begins, and names the board, that is the machine, that such an image expects.
 * spec/boot*.md has a page for each.
 *
 * A protocol knows memory and the initial state of a CPU, but neither engines nor devices. All
 * functions report errors on standard error, once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cpu/engine.h"
#include "cpu/entry_state.h"
#include "cpu/memory.h"
#include "options.h"

/* What becomes of a machine whose CPUs have all halted with interrupts off. */
enum board_halt {
	BOARD_HALT_STOPS, /* the engine ends it with status 0: it has no interrupt controllers */
	BOARD_HALT_ENDS,  /* it ends with status 0: Linux powers off so, without ACPI */
	BOARD_HALT_FAILS, /* it ends with EXIT_STATUS_CRASH, and its state is said */
};

/* The board that an image expects: interrupt controllers, ports and devices. */
struct board {
	enum engine_irqchip irqchip;

	/* Names the parts of the architecture that guests of this board use and the software CPU
	 * lacks, so that they run with KVM only; NULL: none. */
	const char *lacking;

	/* The ports of <vole/ports.h>: power off with a code, start a CPU, report an exception, ask
	 * for a checkpoint. */
	bool exit_port, cpu_port, exception_port, checkpoint_port, mark_port;

	enum board_halt halt;

	bool any_exit_width; /* the exit port takes codes of 8 and 16 bits as well */

	bool reset; /* a PC's ways of reset, at ports 0x64 and 0xcf9; the machine ends, status 0 */
	bool keyboard; /* a keyboard controller at ports 0x60 and 0x64 */
	bool screen;   /* text at VGA_TEXT_BASE, and the CRT controller's ports */

	/* If set, ports and addresses that do not exist read as all ones and ignore writes, as on a
	 * PC's bus. Otherwise such an access is a crash. */
	bool open_bus;

	bool debug_port; /* the byte console is at debug_port_number, unless --debug-port */
	uint16_t debug_port_number;

	bool cmos; /* at ports 0x70 and 0x71 */

	/* Why a kernel may not have touched any virtio device; NULL: it is its own affair. */
	const char *untouched;

	unsigned device_max; /* largest number of virtio-mmio devices */
	const uint8_t *pins; /* interrupt of each of them; NULL: FIRST_PIN + n */

	bool serial; /* has a serial port on standard input and output unless told otherwise */
	bool ignores_out2; /* the serial port's interrupts do not need MCR's OUT2 */
	bool console; /* has a virtio console on standard input and output unless told otherwise */
	bool rng;     /* has an entropy device unless told otherwise */
};

/* A virtio-mmio device of the machine. */
struct boot_device {
	char name[64]; /* "console stdio", "block disk.img"; cut if longer */
	uint32_t base; /* guest-physical address of its window */
	uint32_t pin;  /* of the IOAPIC */
};

/* The machine that was built, as far as an image is told of it. */
struct boot_machine {
	uint32_t cpu_count;
	uint32_t tsc_khz, apic_timer_khz;
	unsigned device_count;
	const struct boot_device *devices;
};

struct image;

/* An image on its way into a machine. Protocols embed it in a structure of their own. */
struct boot {
	const struct boot_protocol *protocol;
	unsigned protocol_number;      /* boot_protocol_find(); several can have one name */
	const struct options *options; /* not owned */

	struct image *image; /* where it is loaded, and its symbols; NULL: it has none. Not owned */

	/* Guest-physical memory, sorted by base, disjoint; set by open(). */
	unsigned region_count;
	struct memory_region regions[MEMORY_REGIONS_MAX];

	/* Set by load() at the latest. */
	struct entry_state state;
	uint32_t cpu_return;      /* cpu_port: where a secondary CPU's entry function returns to */
	uint32_t exception_stubs; /* exception_port: of IDT_VECTORS, IDT_STUB_SIZE bytes each */
};

/* An image as recognise() sees it. */
struct boot_file {
	const char *path;
	uint64_t size;
	int fd;          /* open for reading, for bytes behind head */
	size_t head_len; /* bytes of head that are there */
	uint8_t head[4096];
	uint8_t tail[16]; /* zeros if the file is shorter */
};

/* Options that a protocol supports; others are refused. */
enum {
	BOOT_TAKES_CPUS = 1,    /* more than one */
	BOOT_TAKES_CMDLINE = 2, /* of the guest */
	BOOT_TAKES_MODULES = 4,
	BOOT_TAKES_LOAD = 8,
	BOOT_TAKES_INITRD = 16,
};

struct boot_protocol {
	const char *name; /* as --boot has it */
	unsigned takes;   /* BOOT_TAKES_ values */
	struct board board;

	/* Returns what the file is, for people ("32-bit ELF executable"), or NULL if it is not for
	 * this protocol. If the pointer is NULL, only --boot selects the protocol. */
	const char *(*recognise)(const struct boot_file *file);

	/* Returns whether the file itself says that it is for this protocol, whatever it is to
	 * others. NULL: files have no way to say so. */
	bool (*claims)(const struct boot_file *file);

	/* Reads and validates the image and lays out memory. Returns 0, or the exit status of vole.
	 * *boot may be set even if it fails; the caller frees it. */
	int (*open)(struct boot **boot, const struct options *options);

	/* Writes the image, and the data that it is told, to memory, which is all zero. Returns 0,
	 * or the exit status of vole. */
	int (*load)(struct boot *boot, struct memory *memory, const struct boot_machine *machine);

	/* Closes the files of the image, of which load() has read all but symbols: those it reads
	 * now. Called once, after load(). */
	void (*close_files)(struct boot *boot);

	/* Returns whether the guest asked for the reset that a triple fault causes. NULL: it never
	 * does. */
	bool (*wants_reset)(const struct memory *memory);

	/* Returns the symbol at or before a linear address, or NULL. Any thread, one at a time.
	 * NULL: the image has no symbols. */
	const char *(*symbol)(struct boot *boot, uint64_t address, uint32_t *offset);

	/* Returns a name for an address at which the protocol itself, and not the image, has put
	 * something, or NULL. NULL: there is no such address. */
	const char *(*own_name)(const struct boot *boot, uint64_t address, uint32_t *offset);

	/* Sets *gpa to where load() has put a virtual address of the image, as its program headers
	 * have it. Returns 0, or -EFAULT if the image does not have the address. NULL: images have
	 * no virtual addresses. */
	int (*locate)(struct boot *boot, uint64_t linear, uint64_t *gpa);

	/* Prints what run would do, for `vole inspect`. Returns 0 or -errno, not always said. */
	int (*show)(struct boot *boot, FILE *out, const struct boot_machine *machine);

	void (*free)(struct boot *boot);
};

extern const struct boot_protocol boot_vole, boot_linux, boot_pvh, boot_multiboot, boot_flat,
	boot_firmware;

/*
 * Finds the protocol for options->kernel, the one that --boot names or the one that recognises the
 * image, and opens the image. Returns 0, or the exit status of vole. The caller calls
 * boot_free(*boot) whatever is returned.
 */
int boot_open(struct boot **boot, const struct options *options);

/* Returns the protocol with this number, or NULL if there is none. */
const struct boot_protocol *boot_protocol_find(unsigned number);

/* Closes the files of an image that is loaded: kernel, modules and initial RAM disk. The caller has
 * opened all files for output by then: until here the files are locked, so that none of them is
 * emptied for it. */
void boot_close_files(struct boot *boot);

/* Frees boot, which may be NULL. */
void boot_free(struct boot *boot);

#endif
