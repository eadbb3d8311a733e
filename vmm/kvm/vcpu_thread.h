/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_THREAD_H
#define VMM_VCPU_THREAD_H

/*
 * The thread of a vCPU: KVM_RUN in a loop.
 *
 * The boot CPU runs from vcpu_start() on. The others wait in KVM for INIT and SIPI, or for
 * vcpu_request_start().
 */

#include <signal.h>
#include <time.h>

#include "kvm/vcpu.h"

/* The signal that takes a thread out of KVM_RUN and of blocking writes. */
#define VCPU_SIGNAL SIGUSR2

/* Gives VCPU_SIGNAL its handler, which does nothing. Before the first thread. */
void vcpu_init_signal(void);

/* Starts the thread. The boot CPU (id 0) begins to run at its state. 0 or -errno (said). */
int vcpu_start(struct vcpu *vcpu);

/* Asks the vCPU to start, and returns as engine_ops.start_cpu() once it has or has not. Called on
 * another vCPU's thread. */
int vcpu_request_start(
	struct vcpu *vcpu, const struct entry_state *state, const uint32_t frame[CPU_FRAME_WORDS]);

/* Returns what the vCPU did when the thread replied to the last call, and has the thread find out
 * anew. The reply arrives asynchronously: until then the answer is CPU_UNKNOWN. Any thread. */
enum cpu_activity vcpu_activity(struct vcpu *vcpu);

/* Pauses a vCPU for engine_ops.pause(): all are asked first, then waited for, each until a time of
 * CLOCK_MONOTONIC at most. vcpu_await_pause() returns whether the thread executes no guest code and
 * is in no callback. I/O thread. */
void vcpu_ask_pause(struct vcpu *vcpu);
bool vcpu_await_pause(struct vcpu *vcpu, const struct timespec *until);
void vcpu_resume(struct vcpu *vcpu);

/* Returns whether the thread is paused, or is not there. I/O thread. */
bool vcpu_is_stopped(struct vcpu *vcpu);

/* Wakes the thread so that it sees that running() became false, and waits for its end. Any state,
 * any thread but a vCPU's. First stop all, then join all: a vCPU may wait for another. */
void vcpu_stop(struct vcpu *vcpu);
void vcpu_join(struct vcpu *vcpu);

#endif
