/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_STATE_H
#define VMM_X86_STATE_H

/* The state of a CPU, for saving and restoring it. */

#include "x86/x86.h"

struct snapshot_stream;

/* Forgets decoded code and the TLB, between runs. What is executed next does not depend on it, but
 * what it costs does (x86_charge()). */
void x86_forget(struct x86_cpu *cpu);

/* Transfers the state to or from a stream (snapshot/stream.h), between runs; then calls
 * x86_forget(). */
void x86_transfer(struct x86_cpu *cpu, struct snapshot_stream *stream);

#endif
