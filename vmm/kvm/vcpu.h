/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

/*
 * A CPU as KVM has it: its descriptor, its shared page, its registers. Its thread is in
 * kvm/vcpu_thread.h.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <linux/kvm.h>

#include "cpu/engine.h"
#include "kvm/kvm.h"

struct vcpu {
	struct cpu cpu;
	int fd;              /* -1: empty */
	struct kvm_run *run; /* NULL: not mapped */
	size_t run_size;
	pthread_t thread;
	bool has_thread;
	uint64_t completed; /* instructions that the host's KVM lacks; this vCPU's thread only */

	/* The registers as they are while an instruction is completed, so that they are not asked
	 * for with each access to memory; else NULL. This vCPU's thread only. */
	const struct kvm_sregs *sregs;

	/* What vcpu_activity() asks, and the reply: an enum cpu_activity. */
	atomic_bool activity_asked;
	atomic_int activity;

	pthread_mutex_t lock;   /* guards what follows */
	pthread_cond_t changed; /* requested became false, ended true, or running() false */
	bool ended;             /* the thread is about to return */

	/* A request to start, from another vCPU. */
	struct entry_state state;
	uint32_t frame[CPU_FRAME_WORDS];
	bool has_frame;
	bool requested;
	int start_result; /* what vcpu_request_start() returns */
	bool started;     /* once true, stays true */
};

/* Locks that are made so need no call that could fail. */
#define VCPU_EMPTY                                   \
	((struct vcpu){                              \
		.fd = -1,                            \
		.activity = CPU_UNKNOWN,             \
		.lock = PTHREAD_MUTEX_INITIALIZER,   \
		.changed = PTHREAD_COND_INITIALIZER, \
	})

/* Creates a vCPU whose cpu has ops and id, and nothing else yet; undone by vcpu_free() whatever is
 * returned. 0 or -errno (said). */
int vcpu_init(struct vcpu *vcpu, const struct kvm *kvm, unsigned id);
void vcpu_free(struct vcpu *vcpu);

/* Sets the registers. Before the thread starts, or on it. 0 or -errno (said). */
int vcpu_set_state(struct vcpu *vcpu, const struct entry_state *state);

#endif
