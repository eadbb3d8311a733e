/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PIC_H
#define VMM_PIC_H

/*
 * The pair of interrupt controllers of a PC: two 8259A (Intel 8259A data sheet), a master for IRQ 0
 * to 7 and a slave for IRQ 8 to 15, whose output is the master's IR2. Each pin is edge- or
 * level-triggered as ELCR says (ports 0x4d0 and 0x4d1, Intel 82371AB data sheet 4.3.1).
 *
 * Differences from the data sheet: - As in PC chip sets, LTIM in ICW1 does not count: ELCR does. -
 * An edge is latched until it is acknowledged, even if its line falls before. A device may pulse a
 * line; KVM's PICs do the same. - Vectors are those of 8086 mode, whatever ICW4 says; the buffered
 * modes and the numbers in ICW3 do not count, since the wiring is fixed. - The output is low until
 * the guest has written the initialization command words once.
 *
 * Pure code without a clock, a thread or a lock: its caller is one thread, or locks.
 */

#include <stdbool.h>
#include <stdint.h>

#define PIC_IRQS 16

#define PIC_MASTER_PORT 0x20 /* and the port after it, for each chip */
#define PIC_SLAVE_PORT  0xa0
#define PIC_ELCR_PORT   0x4d0 /* the master's; the slave's is the next */

/* One 8259A; bit n of a mask is pin n. */
struct pic_chip {
	uint8_t lines;     /* levels of the pins */
	uint8_t latched;   /* edges that wait, of edge-triggered pins */
	uint8_t elcr;      /* level-triggered pins */
	uint8_t slaves;    /* pins on which a slave is */
	uint8_t imr, isr;  /* interrupt mask, in service */
	uint8_t vector;    /* of pin 0; its low three bits are 0 */
	uint8_t lowest;    /* pin whose priority is lowest; the next one's is highest */
	uint8_t icws_left; /* initialization command words, as bits, that are still to be written */
	bool initialized;
	bool auto_eoi, rotate_in_auto_eoi;
	bool special_fully_nested, special_mask;
	bool poll;      /* the next read is a poll */
	bool reads_isr; /* rather than IRR */
};

struct pic {
	struct pic_chip chips[2]; /* master, slave */
};

/* Puts both chips into the state before their initialization. All lines are low. */
void pic_init(struct pic *pic);

/* Sets the level of an IRQ's line, 0 to 15. IRQ 2 is the cascade and has no line: its level is
 * ignored. */
void pic_raise(struct pic *pic, unsigned irq, bool level);

/* The level of the master's INT output, to be read after each of the other calls. It stays high
 * until the request is acknowledged, withdrawn or masked. */
bool pic_output(const struct pic *pic);

/* The CPU's interrupt acknowledge cycles: returns the vector. If the request has gone, that is pin
 * 7's of the chip that misses it, and is not in service there. */
uint8_t pic_acknowledge(struct pic *pic);

/* Returns the pins of a chip that request an interrupt, a bit for each: its IRR. */
uint8_t pic_requests(const struct pic_chip *chip);

/* A guest's access to one byte of the ports above. Other ports read as 0xff, and writes to them are
 * lost. */
uint8_t pic_read(struct pic *pic, uint16_t port);
void pic_write(struct pic *pic, uint16_t port, uint8_t value);

struct snapshot_stream;

/* Transfers the state of both chips to or from a stream (snapshot/stream.h). */
void pic_transfer(struct pic *pic, struct snapshot_stream *stream);

#endif
