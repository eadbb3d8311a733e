/* SPDX-License-Identifier: BSD-2-Clause */
#include "pc.h"

#include <stdint.h>

#include "../boot/print.h"
#include "x86.h"

#define PIC1    0x20
#define PIC2    0xa0
#define PIT     0x40
#define VECTORS 0x20 /* of the first PIC's interrupts */

#define TIMER_IRQ    0
#define KEYBOARD_IRQ 1

#define CODE_SELECTOR 0x08

void timer_interrupt(void);
void keyboard_interrupt(void);
extern char timer_entry[], keyboard_entry[];

/* --- tables ----------------------------------------------------------------------------------- */

struct gate {
	uint16_t low, selector, type, high;
};

struct table {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

static struct gate idt[VECTORS + 16];

/* The kernel's own segments, as a Multiboot kernel needs them before it takes interrupts. */
static void load_gdt(void)
{
	static const uint64_t gdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
	const struct table table = {sizeof gdt - 1, (uint32_t)(uintptr_t)gdt};

	__asm__ volatile("lgdt %0; push %1; push $1f; lret; 1:\n\t"
			 "mov %2, %%eax; mov %%eax, %%ds; mov %%eax, %%es; mov %%eax, %%ss"
			 :
			 : "m"(table), "i"(CODE_SELECTOR), "i"(0x10)
			 : "eax", "memory");
}

static void set_gate(unsigned vector, const char *entry)
{
	uint32_t address = (uint32_t)(uintptr_t)entry;

	idt[vector] =
		(struct gate){(uint16_t)address, CODE_SELECTOR, 0x8e00, (uint16_t)(address >> 16)};
}

/* 8259A data sheet: ICW1 to ICW4, then the masks: only these interrupts. */
static void start_pics(uint8_t enabled)
{
	out8(PIC1, 0x11);
	out8(PIC2, 0x11);
	out8(PIC1 + 1, VECTORS);
	out8(PIC2 + 1, VECTORS + 8);
	out8(PIC1 + 1, 1 << 2);
	out8(PIC2 + 1, 2);
	out8(PIC1 + 1, 1);
	out8(PIC2 + 1, 1);
	out8(PIC1 + 1, (uint8_t)~enabled);
	out8(PIC2 + 1, 0xff);
}

static void start_interrupts(unsigned irq, const char *entry)
{
	const struct table table = {sizeof idt - 1, (uint32_t)(uintptr_t)idt};

	load_gdt();
	set_gate(VECTORS + irq, entry);
	__asm__ volatile("lidt %0" : : "m"(table));
	start_pics((uint8_t)(1u << irq));
}

static void end_of_interrupt(void)
{
	out8(PIC1, 0x20);
}

/* Halts until an interrupt has made *count at least max. */
static void wait_for(const volatile uint32_t *count, uint32_t max)
{
	while (*count < max)
		__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* --- screen ----------------------------------------------------------------------------------- */

#define SCREEN 0xb8000
#define CRTC   0x3d4

static void write_row(unsigned row, const char *text)
{
	for (uint32_t at = SCREEN + 160 * row; *text; at += 2)
		write16(at, (uint16_t)(0x0700 | (uint8_t)*text++));
}

static void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t read_crtc(uint8_t index)
{
	out8(CRTC, index);
	return in8(CRTC + 1);
}

void write_screen(void)
{
	say("blank", read32(SCREEN));
	write_row(0, "\xc9\xcd\xcd\xcd\xcd\xcd\xbb");
	write_row(1, "\xba"
		     "Hello"
		     "\xba");
	write_row(2, "\xc8\xcd\xcd\xcd\xcd\xcd\xbc");
	write_row(4, "the last row is below");
	write_row(24, "24");
	out16(CRTC, 0x0e | 0x07 << 8); /* index and data at once */
	out16(CRTC, 0x0f | 0x82 << 8);
	say("cursor", read_crtc(0x0e) << 8 | read_crtc(0x0f));
}

/* --- timer ------------------------------------------------------------------------------------ */

static volatile uint32_t ticks;

void timer_interrupt(void)
{
	ticks++;
	end_of_interrupt();
}

/* 8254 data sheet: counter 0, mode 2, 1193 periods of 1193182 Hz. */
void count_ticks(void)
{
	start_interrupts(TIMER_IRQ, timer_entry);
	out8(PIT + 3, 0x34);
	out8(PIT, 1193 & 0xff);
	out8(PIT, 1193 >> 8);
	wait_for(&ticks, 10);
	print("ten ticks\n");
}

/* --- keyboard --------------------------------------------------------------------------------- */

#define DATA   0x60
#define STATUS 0x64

static volatile uint32_t byte_count;
static volatile uint8_t bytes[16];

void keyboard_interrupt(void)
{
	bytes[byte_count++ % sizeof bytes] = in8(DATA);
	end_of_interrupt();
}

static void say_byte(const char *what)
{
	while (!(in8(STATUS) & 1))
		;
	say(what, in8(DATA));
}

void identify_keyboard(void)
{
	out8(STATUS, 0xaa);
	say_byte("self-test");
	start_interrupts(KEYBOARD_IRQ, keyboard_entry);
	out8(DATA, 0xf2);
	wait_for(&byte_count, 3);
	say("keyboard", (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]);
	say("left", in8(STATUS) & 1);
}

/* --- what is simply there --------------------------------------------------------------------- */

static uint8_t read_cmos(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

void say_board(void)
{
	uint8_t status;

	say("port 80", in8(0x80));
	say("port e9", in8(0xe9));
	say("base memory", (uint32_t)(read_cmos(0x16) << 8 | read_cmos(0x15)));
	say("extended memory", (uint32_t)(read_cmos(0x18) << 8 | read_cmos(0x17)));
	say("BIOS data", read16(0x413));
	say("COM1", read16(0x400));
	say("CRT controller", read16(0x463));
	say("MP table", read32(((uint32_t)read16(0x40e) << 4)));
	say("PCI", in32(0xcf8));
	status = in8(0x3da);
	say("retrace", status ^ in8(0x3da));
	say("open bus", read32(0xe0000000));
}
