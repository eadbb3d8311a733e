/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_PROMPT_H
#define DEMO_PROMPT_H

/* Prints a prompt at the console and executes the commands that are typed, until the end of
 * input. */
void demo_prompt(void);

#endif
