/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

/*
 * The native oracle: a sequence of instructions runs on the host's own processor and on the
 * software CPU, and both must leave the same registers, flags and memory, or stop with the same
 * exception at the same instruction.
 *
 * The host runs it as 64-bit user code, the software CPU as 32-bit user code (CPL 3, IOPL 0, flat
 * segments, paging). oracle_builder.h makes two encodings of each case that mean the same:
 * instructions that exist in both modes, with the address-size prefix where 64-bit mode would
 * compute 64-bit addresses (Intel SDM 2, 2.2.1.3). Both see the same addresses: code at
 * ORACLE_CODE, data at ORACLE_DATA, and nothing in between or around.
 *
 * A case ends with HLT, which raises #GP(0) in user mode: so each run ends with an exception.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_PAGE      0x1000u
#define ORACLE_CODE      0x1035b000u /* its bytes differ in both; see oracle_result.is_code_data */
#define ORACLE_DATA      0x10010000u
#define ORACLE_DATA_SIZE (2 * ORACLE_PAGE) /* read and write; starts as the case says */
#define ORACLE_CONSTANT  (ORACLE_DATA + ORACLE_DATA_SIZE) /* one page of 0x5a, read only */
#define ORACLE_FILL      0x5a

/* Bytes of the longest code, and instructions of the longest case, its HLT included. */
#define ORACLE_CODE_MAX 2048
#define ORACLE_INSN_MAX 96

/* Why a run ended, where that is no exception of the processor's. */
#define ORACLE_NO_END 256 /* it took too long */
#define ORACLE_LOST   257 /* in no way that code can end: the CPU is at fault */

/* Registers as ModRM numbers them. */
struct oracle_state {
	uint32_t reg[8];
	uint32_t eflags;
};

struct oracle_result {
	struct oracle_state state;
	uint32_t eip;      /* of the faulting instruction; after a trap, of the next one */
	unsigned vector;   /* of the exception, or ORACLE_ */
	uint32_t error;    /* of #PF and #GP */
	uint32_t cr2;      /* of #PF */
	bool is_code_data; /* of oracle_soft_run(): it loaded or stored code */
	uint8_t data[ORACLE_DATA_SIZE];
};

/* An instruction: where it begins in both encodings, and what the SDM leaves open. */
struct oracle_insn {
	uint16_t native, soft;
	uint32_t undefined;          /* flags, before it */
	uint32_t undefined_at_fault; /* flags, if it faults itself */
	bool is_open; /* CMPS: which of two loads faults first. ENTER: what a faulting one stored */
};

struct oracle_case {
	uint8_t native[ORACLE_CODE_MAX], soft[ORACLE_CODE_MAX];
	unsigned native_len, soft_len;
	struct oracle_insn insn[ORACLE_INSN_MAX];
	unsigned insn_count;
	struct oracle_state start;
	uint8_t data[ORACLE_DATA_SIZE];
};

/* --- oracle_native.c: the host ---------------------------------------------------------------- */

/* Whether this host's processor can be asked: an x86-64 host. */
bool oracle_native_is_there(void);

/* Map code and data at their addresses. 0 or a negative errno: -EEXIST if something is there. */
int oracle_native_open(void);
void oracle_native_close(void);

/* Whether a case that ends like this on the software CPU may run on the host: not if it goes on for
 * too long, or accesses an address where this process has memory of its own. */
bool oracle_native_permits(const struct oracle_result *soft);

/* Run a case. One thread at a time. 0, or a negative errno if the host refuses signals. */
int oracle_native_run(const struct oracle_case *test, struct oracle_result *result);

/* --- oracle_soft.c: the software CPU ---------------------------------------------------------- */

struct oracle_soft;

/* A CPU with its memory, for any number of cases. NULL: no memory. */
struct oracle_soft *oracle_soft_new(void);
void oracle_soft_free(struct oracle_soft *soft);

void oracle_soft_run(
	struct oracle_soft *soft, const struct oracle_case *test, struct oracle_result *result);

/* --- oracle_compare.c ------------------------------------------------------------------------- */

/* Whether both results are the same but for undefined flags. If not, text says what differs, and
 * shows the case. */
bool oracle_same(const struct oracle_case *test, const struct oracle_result *native,
	const struct oracle_result *soft, char *text, size_t text_size);

#endif
