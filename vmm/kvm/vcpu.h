/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

/*
 * A vCPU and its thread: KVM_RUN in a loop, and what its exits mean. Accesses to ports and devices
 * go to the machine through struct vcpu_ops; a vCPU knows neither.
 *
 * The boot CPU runs from vcpu_start() on. The others wait in KVM for INIT and SIPI, or for
 * vcpu_request_start().
 */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "kvm/kvm.h"
#include "kvm/vcpu_state.h"

struct vcpu;
struct watch;

/* What a vCPU needs of the machine; ctx is vcpu->ctx. All are called on the vCPU's thread. */
struct vcpu_ops {
	/* An access of len bytes (1, 2 or 4) to a port. 0, or -ENXIO if nothing answers there. */
	int (*port)(struct vcpu *vcpu, uint16_t port, bool write, uint8_t *data, unsigned len);

	/* An access of len bytes (1 to 8) to an address that is no RAM, or a store to read-only
	 * RAM. 0, -ENXIO if nothing answers there, or -EROFS. */
	int (*mmio)(struct vcpu *vcpu, uint64_t address, bool write, uint8_t *data, unsigned len);

	/* Copy out of or into guest memory, where the guest itself may read or write. 0 or -EFAULT.
	 */
	int (*read_memory)(struct vcpu *vcpu, uint64_t gpa, void *dst, size_t len);
	int (*write_memory)(struct vcpu *vcpu, uint64_t gpa, const void *src, size_t len);

	/* The vCPU is to tell of a crash, and nobody else until end_report(). False if the machine
	 * is ending already: then there is nothing to tell, and no end_report(). */
	bool (*begin_report)(struct vcpu *vcpu);
	void (*end_report)(struct vcpu *vcpu);

	/* The name of what is at a linear address, or NULL. Within a report. */
	const char *(*symbol)(struct vcpu *vcpu, uint64_t address, uint32_t *offset);

	/* An exception while an exception could not be delivered (Intel SDM 3, 6.15, interrupt 8).
	 * 0 if that is what was wanted, -ENXIO if it is a crash. */
	int (*triple_fault)(struct vcpu *vcpu);

	/* The machine ends with this exit status of vole; running() is false from here on. */
	void (*end)(struct vcpu *vcpu, int status);

	/* False once the machine is ending: guest code is not entered any more. */
	bool (*running)(struct vcpu *vcpu);
};

/* What a CPU can find on its stack. */
#define VCPU_FRAME_WORDS 2

struct vcpu {
	const struct vcpu_ops *ops;
	void *ctx;
	unsigned id;
	int fd;              /* -1: empty */
	struct kvm_run *run; /* NULL: not mapped */
	size_t run_size;
	pthread_t thread;
	bool has_thread;
	/* This vCPU's thread only. */
	uint64_t exits;     /* how often guest code was left for vole */
	uint64_t completed; /* and for how many instructions that the host's KVM lacks */

	struct watch *watch; /* of its exits; NULL: none. Set before the thread starts, not owned */

	uint32_t start_outcome; /* what VOLE_PORT_CPU reads; this vCPU's thread only */

	/* What vcpu_ask_halted() asks, and the answer. */
	atomic_bool halt_asked, halted;

	pthread_mutex_t lock;   /* guards what follows */
	pthread_cond_t changed; /* requested became false, ended true, or ops->running() false */
	bool ended;             /* the thread is about to return */

	/* A request to start, from another vCPU. */
	struct vcpu_state state;
	uint32_t frame[VCPU_FRAME_WORDS];
	bool has_frame;
	bool requested;
	int answer;   /* to it: what vcpu_request_start() returns */
	bool started; /* once true, stays true */
};

/* Locks that are made so need no call that could fail. */
#define VCPU_EMPTY                                   \
	((struct vcpu){                              \
		.fd = -1,                            \
		.lock = PTHREAD_MUTEX_INITIALIZER,   \
		.changed = PTHREAD_COND_INITIALIZER, \
	})

/* The signal that takes a thread out of KVM_RUN and of blocking writes. */
#define VCPU_SIGNAL SIGUSR2

/* Give VCPU_SIGNAL its handler, which does nothing. Once per process, before the first thread. */
void vcpu_init_signal(void);

/* Create a vCPU; undone by vcpu_free() whatever is returned. 0 or -errno (said). */
int vcpu_init(struct vcpu *vcpu, const struct kvm *kvm, unsigned id, const struct vcpu_ops *ops,
	void *ctx);
void vcpu_free(struct vcpu *vcpu);

/* The address of the first instruction. */
uint32_t vcpu_entry(const struct vcpu_state *state);

/* Set the registers. Before the thread starts, or on it. 0 or -errno (said). */
int vcpu_set_state(struct vcpu *vcpu, const struct vcpu_state *state);

/* Where it is: linear address of CS:RIP, 0 if KVM does not tell. On its thread. An access that KVM
 * emulated may be complete already: then this is one instruction further, and nobody knows how long
 * that one was. */
uint64_t vcpu_rip(const struct vcpu *vcpu);

/* The bytes of an access as a number, for messages. */
uint64_t vcpu_value(const uint8_t *data, unsigned len);

/* Start the thread. The boot CPU (id 0) begins to run at its state. 0 or -errno (said). */
int vcpu_start(struct vcpu *vcpu);

/*
 * Have a waiting vCPU run from this state, with frame, if not NULL, where its ESP points to: that
 * must be writable, and is written only if it does run. Returns when it was decided. On another
 * vCPU's thread.
 *   0        it runs
 *   -EBUSY   it was started before, by whatever way
 *   -EINTR   the machine is being stopped
 */
int vcpu_request_start(
	struct vcpu *vcpu, const struct vcpu_state *state, const uint32_t frame[VCPU_FRAME_WORDS]);

/* Have the thread find out whether this CPU has halted with interrupts off, or was never started:
 * then only another CPU can wake it. The answer is there some time later; none is as no. Any
 * thread. */
void vcpu_ask_halted(struct vcpu *vcpu);
bool vcpu_has_halted(struct vcpu *vcpu);

/* Wake the thread so that it sees that ops->running() became false, and wait for its end. Any
 * state, any thread but a vCPU's. First stop all, then join all: a vCPU may wait for another. */
void vcpu_stop(struct vcpu *vcpu);
void vcpu_join(struct vcpu *vcpu);

#endif
