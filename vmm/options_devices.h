/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_DEVICES_H
#define VMM_OPTIONS_DEVICES_H

/*
 * The options that describe devices, each a list of words between commas. text is cut at its
 * commas and stays in use. All return 0, or -EINVAL (said, by the name of the option).
 */

#include "options.h"

/* --disk FILE[,ro][,private][,serial=ID][,block-size=N][,queues=N][,poll=auto|off|US]
 * [,format=raw][,FEATURE=on|off]... */
int parse_disk(struct options *options, char *text);

/* --console HOST[,name=NAME][,multiport=on|off][,FEATURE=on|off]... */
int parse_console(struct options *options, char *text);

/* --rng [host|none|file=PATH][,rate=BYTES/S][,FEATURE=on|off]..., in any order */
int parse_rng(struct options *options, char *text);

/* --virtio FEATURE=on|off[,FEATURE=on|off]... */
int parse_virtio(struct options *options, char *text);

/* Validates text as the host's end of a console or serial port for the option name, and sets *value
 * to it. */
int parse_chardev(const char *name, const char *text, const char **value);

#endif
