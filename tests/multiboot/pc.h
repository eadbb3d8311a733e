/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MULTIBOOT_PC_H
#define TESTS_MULTIBOOT_PC_H

/*
 * The parts of a PC that the test kernels use: screen, timer, keyboard, and what is simply there.
 */

/* Writes to the screen, with a frame of code page 437, and says where the cursor is. */
void write_screen(void);

/* Says what is at ports and addresses of a PC. */
void say_board(void);

/* Has the timer interrupt a thousand times a second, halts for ten interrupts, and says so. */
void count_ticks(void);

/* Asks the keyboard who it is and says its answer, which comes by interrupts. */
void identify_keyboard(void);

#endif
