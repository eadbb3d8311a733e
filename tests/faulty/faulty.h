/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FAULTY_H
#define TESTS_FAULTY_H

/*
 * A host's file that stalls or fails, linked into a vole of its own (vole-faulty), whose system
 * calls on the file that VOLE_FAULTY_FILE names the linker leads to calls.c.
 */

#include <stddef.h>

/* The kinds of call that can fail, each counted from 1 on. */
enum call {
	CALL_OPEN,
	CALL_STAT,
	CALL_SIZE, /* lseek(2) */
	CALL_LOCK, /* fcntl(2) */
	CALL_READ,
	CALL_WRITE,
	CALL_FLUSH,
	CALL_ALLOCATE, /* fallocate(2) */
	CALL_COUNT
};

/*
 * Returns the errno that this call fails with, or 0; may shorten *len, the bytes of a transfer
 * (NULL for other calls). VOLE_FAULTS holds the faults, separated by spaces, each
 * "CALL:FIRST-LAST=WHAT": the calls of a kind that it concerns, and an errno by name, or "half",
 * "byte" or "nothing" of the length. Of several faults for a call the first one counts. Ends the
 * program if it cannot read one. Any thread.
 */
int fault_of(enum call call, size_t *len);

/* Once a file of the name that VOLE_STALL says exists, gives it the name VOLE_STALLED and does not
 * return while that exists, not even for a signal, as a system call to a file server that is
 * gone. */
void stall(void);

#endif
