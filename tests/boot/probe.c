/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that is started as Linux is, in either way, and says on the serial port what it was
 * told. Then it does what its command line says:
 *
 *	echo		sends back what it receives, by interrupts, up to and including a dot
 *	loop		the same without interrupts
 *	exit=N		ends by the exit port
 *	reset=HOW	resets the machine, by keyboard, chipset or triple (a triple fault, of which
 *			it tells firmware first, as Linux does)
 *	halt		halts with interrupts off, as Linux powers off
 *	crash		a triple fault that nobody asked for
 *	blind		does not look for a device, before all that
 */
#include <asm/bootparam.h>
#include <stdint.h>

#include "print.h"
#include "word.h"
#include "x86.h"

#define IER        (SERIAL + 1)
#define IIR        (SERIAL + 2)
#define FCR        (SERIAL + 2)
#define MCR        (SERIAL + 4)
#define LSR        (SERIAL + 5)
#define EXIT       0xf4
#define PIC        0x20
#define VECTORS    0x20 /* of the PIC's interrupts */
#define SERIAL_IRQ 4

void linux_main(const struct boot_params *params, uint32_t ebx);
void pvh_main(const uint32_t *info, uint32_t esi);
void serial_interrupt(void);
extern char interrupt_entry[];

/* --- what any kernel can see ------------------------------------------------------------------ */

static uint32_t cr0(void)
{
	uint32_t value;

	__asm__("mov %%cr0, %0" : "=r"(value));
	return value;
}

static uint32_t flags(void)
{
	uint32_t value;

	__asm__("pushf; pop %0" : "=r"(value));
	return value;
}

static uint32_t selectors(void)
{
	uint32_t cs, ss;

	__asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
	return cs << 16 | ss;
}

/* Segment registers can be loaded: the table that they were loaded from is there. */
static void reload_segments(void)
{
	__asm__ volatile("mov %%ss, %%eax; mov %%eax, %%ds; mov %%eax, %%es; mov %%eax, %%ss\n\t"
			 "push %%cs; push $1f; lret; 1:"
			 :
			 :
			 : "eax", "memory");
}

static void say_cpu(void)
{
	say("cr0", cr0());
	say("interrupts", flags() >> 9 & 1);
	say("selectors", selectors());
	reload_segments();
}

static void say_initrd(uint32_t base, uint32_t size)
{
	say("initrd", size);
	if (size >= 4)
		say("initrd begins", read32(base));
}

static void say_range(uint64_t base, uint64_t size, uint32_t type)
{
	print("memory ");
	print_hex(base);
	put(' ');
	print_hex(size);
	say("", type);
}

static void say_board(const char *cmdline)
{
	say("port 80", in8(0x80));
	say("keyboard", in8(0x64));
	say("address e0000000", read32(0xe0000000));
	if (!word(cmdline, "blind"))
		say("device magic", read32(0xd0000000));
	say("bios", read32(0xf0000));
	say("mp", read32(0x9fc00));
}

/* --- the serial port -------------------------------------------------------------------------- */

static volatile uint32_t interrupts;
static volatile uint8_t last;

/* By its interrupts: first what came in, then whether more may go out. */
void serial_interrupt(void)
{
	interrupts++;
	while (!(in8(IIR) & 1)) {
		while (in8(LSR) & 1) {
			last = in8(SERIAL);
			out8(SERIAL, last);
		}
	}
	out8(PIC, 0x20); /* end of interrupt */
}

struct gate {
	uint16_t low, selector, type, high;
};

struct table {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

static struct gate idt[VECTORS + 16];

static void load_idt(const void *base, uint16_t limit)
{
	struct table table = {limit, (uint32_t)(uintptr_t)base};

	__asm__ volatile("lidt %0" : : "m"(table));
}

static void start_interrupts(void)
{
	uint32_t entry = (uint32_t)(uintptr_t)interrupt_entry;

	idt[VECTORS + SERIAL_IRQ] = (struct gate){
		(uint16_t)entry, (uint16_t)(selectors() >> 16), 0x8e00, (uint16_t)(entry >> 16)};
	load_idt(idt, sizeof idt - 1);
	out8(PIC, 0x11); /* 8259A data sheet: ICW1 to ICW4, then the mask */
	out8(PIC + 1, VECTORS);
	out8(PIC + 1, 4);
	out8(PIC + 1, 1);
	out8(PIC + 1, (uint8_t) ~(1u << SERIAL_IRQ));
}

static void echo_by_interrupts(void)
{
	start_interrupts();
	out8(FCR, 0x87);
	out8(MCR, 0x0b);
	out8(IER, 0x01);
	while (last != '.') {
		__asm__ volatile("cli" : : : "memory");
		if (last != '.')
			__asm__ volatile("sti; hlt" : : : "memory");
	}
	__asm__ volatile("cli");
	print(interrupts > 0 ? "\ninterrupts: some\n" : "\ninterrupts: none\n");
}

static void echo_by_polling(void)
{
	uint8_t byte = 0;

	out8(FCR, 0x07);
	out8(MCR, 0x03);
	while (byte != '.') {
		while (!(in8(LSR) & 1))
			;
		byte = in8(SERIAL);
		put((char)byte);
	}
	put('\n');
}

/* --- the end ---------------------------------------------------------------------------------- */

static void triple_fault(void)
{
	load_idt(idt, 0);
	__asm__ volatile("ud2");
}

static void execute_options(const char *cmdline)
{
	const char *code = word(cmdline, "exit=");

	if (word(cmdline, "echo"))
		echo_by_interrupts();
	if (word(cmdline, "loop"))
		echo_by_polling();
	print("done\n");
	if (word(cmdline, "reset=keyboard"))
		out8(0x64, 0xfe);
	if (word(cmdline, "reset=chipset")) {
		out8(0xcf9, 0x02);
		print("still there\n");
		out8(0xcf9, 0x06);
	}
	if (word(cmdline, "reset=triple")) {
		write16(0x472, 0);
		triple_fault();
	}
	if (word(cmdline, "halt"))
		__asm__ volatile("cli; 1: hlt; jmp 1b");
	if (word(cmdline, "crash"))
		triple_fault();
	out32(EXIT, code ? (uint32_t)(*code - '0') : 0);
}

/* --- the two ways to be told ------------------------------------------------------------------ */

void linux_main(const struct boot_params *params, uint32_t ebx)
{
	const char *cmdline = (const char *)(uintptr_t)params->hdr.cmd_line_ptr;

	print("linux\n");
	say_cpu();
	say("ebx", ebx);
	say("header", params->hdr.header);
	say("loader", params->hdr.type_of_loader);
	print(cmdline);
	put('\n');
	say_initrd(params->hdr.ramdisk_image, params->hdr.ramdisk_size);
	for (unsigned i = 0; i < params->e820_entries; i++)
		say_range(params->e820_table[i].addr, params->e820_table[i].size,
			params->e820_table[i].type);
	say_board(cmdline);
	execute_options(cmdline);
}

/* All of it is below 4 GiB. */
void pvh_main(const uint32_t *info, uint32_t esi)
{
	const uint32_t *module = (const uint32_t *)(uintptr_t)info[4];
	const uint32_t *map = (const uint32_t *)(uintptr_t)info[10];
	const char *cmdline = (const char *)(uintptr_t)info[6];

	print("pvh\n");
	say_cpu();
	say("esi", esi);
	say("magic", info[0]);
	say("version", info[1]);
	print(cmdline);
	put('\n');
	say_initrd(info[3] ? module[0] : 0, info[3] ? module[2] : 0);
	for (uint32_t i = 0; i < info[12]; i++, map += 6)
		say_range(map[0], map[2], map[4]);
	say_board(cmdline);
	execute_options(cmdline);
}
