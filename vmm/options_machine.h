/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_MACHINE_H
#define VMM_OPTIONS_MACHINE_H

/* The options that say what the machine is and how long it may run. Each function takes the
 * option's argument, and returns 0, or -EINVAL (said). */

#include "options.h"

/* --memory SIZE: bytes, or with K, M or G */
int parse_memory(struct options *options, const char *text);

/* Sets *count to a number from 1 to max, for the option name. */
int parse_count(const char *name, const char *text, unsigned max, unsigned *count);

/* --module FILE */
int parse_module(struct options *options, const char *text);

/* --load ADDRESS and --debug-port PORT: decimal, or hexadecimal after 0x */
int parse_load(struct options *options, const char *text);
int parse_debug_port(struct options *options, const char *text);

/* --engine auto|kvm|soft */
int parse_engine(struct options *options, const char *text);

/* --clock host|virtual */
int parse_clock(struct options *options, const char *text);

/* --screen on|off */
int parse_screen(struct options *options, const char *text);

/* --sandbox on|off|log */
int parse_sandbox(struct options *options, const char *text);

/* --max-exits N */
int parse_max_exits(struct options *options, const char *text);

#endif
