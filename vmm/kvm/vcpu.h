/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

/*
 * A vCPU of KVM: its descriptor, its shared page, its registers. kvm/vcpu_thread.h has its thread.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <linux/kvm.h>

#include "cpu/engine.h"
#include "kvm/kvm.h"

struct kvm_debug;

struct vcpu {
	struct cpu cpu;
	int fd;              /* -1: empty */
	int counters;        /* of KVM's counters of this vCPU (kvm/counters.h); -1: none */
	struct kvm_run *run; /* NULL: not mapped */
	size_t run_size;
	pthread_t thread;
	bool has_thread;
	uint64_t completed; /* instructions that the host's KVM lacks; this vCPU's thread only */

	/* The registers as they are while an instruction is completed, so that they are not asked
	 * for with each access to memory; else NULL. This vCPU's thread only. */
	const struct kvm_sregs *sregs;

	/* For a debugger: kvm/debug.h. Set while the vCPU is paused, but for has_stopped, which the
	 * thread sets before it stops. */
	struct kvm_debug *debug; /* NULL: there is none. Not owned */
	enum cpu_go go;
	bool has_guest_debug; /* KVM_SET_GUEST_DEBUG has switched something on */
	uint64_t step_rip;    /* CPU_STEP: where the step began */
	bool has_stopped;

	/* vcpu_activity() sets activity_asked; the thread clears it and replies in activity, an
	 * enum cpu_activity. */
	atomic_bool activity_asked;
	atomic_int activity;

	pthread_mutex_t lock;   /* guards what follows */
	pthread_cond_t changed; /* one of these flags changed, or running() became false */
	bool ended;             /* the thread is about to return */
	bool pause_asked;       /* the thread is to wait between two instructions */
	bool paused;            /* and does */

	/* A request to start, from another vCPU. */
	struct entry_state state;
	uint32_t frame[CPU_FRAME_WORDS];
	bool has_frame;
	bool requested;
	int start_result; /* what vcpu_request_start() returns */
	bool started;     /* once true, stays true */
};

/* The state before vcpu_init() and after vcpu_free(). Static initialisers of locks cannot fail. */
#define VCPU_EMPTY                                   \
	((struct vcpu){                              \
		.fd = -1,                            \
		.counters = -1,                      \
		.activity = CPU_UNKNOWN,             \
		.lock = PTHREAD_MUTEX_INITIALIZER,   \
		.changed = PTHREAD_COND_INITIALIZER, \
	})

/* Creates a vCPU and sets ops and id of its cpu; the caller sets the other fields. Returns 0 or
 * -errno (said). The caller calls vcpu_free() whatever is returned. */
int vcpu_init(struct vcpu *vcpu, const struct kvm *kvm, unsigned id);
void vcpu_free(struct vcpu *vcpu);

/* Sets the registers. Called before the thread starts, or on it. Returns 0 or -errno (said). */
int vcpu_set_state(struct vcpu *vcpu, const struct entry_state *state);

#endif
