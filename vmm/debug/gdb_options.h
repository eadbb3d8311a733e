/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GDB_OPTIONS_H
#define VMM_GDB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* What --gdb says. The text is not owned. */
struct gdb_options {
	enum { GDB_NONE, GDB_STDIO, GDB_UNIX, GDB_TCP } kind;
	const char *text; /* the whole argument, for messages */
	const char *path; /* GDB_UNIX */
	uint16_t port;    /* GDB_TCP */
	uint64_t history; /* bytes that going back may take; 0: the debugger cannot */
	bool lost_is_end; /* the machine ends when the debugger disappears; else it stops */
};

#endif
