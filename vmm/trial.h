/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TRIAL_H
#define VMM_TRIAL_H

/*
 * A throw-away VM for `vole doctor`: one vCPU, 1 MiB of RAM, split irqchip, and a handful of small
 * programs that show what the host's KVM can do and what it costs. Each trial is a function that
 * may be called any number of times, in any order. Memory and vCPU are those of `vole run`, but for
 * the thread, and instructions that KVM hands back are completed as there.
 *
 * All return 0, or
 *   -EOPNOTSUPP  KVM has no such instruction
 *   -EFAULT      the program got an exception instead
 *   -ETIMEDOUT   it did not end within TRIAL_SECONDS
 *   -errno       an ioctl failed (said on standard error) or the VM ended otherwise (-EIO)
 *
 * SIGALRM is used while one exists, so a process has at most one, and in one thread.
 */

#include <signal.h>
#include <stdint.h>

#include "kvm/kvm.h"
#include "kvm/memory.h"
#include "kvm/vcpu.h"

#define TRIAL_SECONDS 3

struct trial {
	struct kvm kvm;
	struct memory memory;
	struct vcpu vcpu;     /* its count of completed instructions is the last program's */
	int ioeventfd, irqfd; /* -1: not yet */
	uint64_t deadline;    /* of the program that runs, ns of CLOCK_MONOTONIC */
	struct sigaction old_alarm;
};

/* Undone by trial_free() whatever is returned. */
int trial_init(struct trial *trial);
void trial_free(struct trial *trial);

/* Time of a million instructions, of a loop of two cheap ones. */
int trial_speed(struct trial *trial, double *microseconds);

/* Time of a port write that goes to user space and back. */
int trial_exit(struct trial *trial, double *microseconds);

/* Time of a store that signals an eventfd. -EIO if it does not get there. */
int trial_ioeventfd(struct trial *trial, double *microseconds);

/* An eventfd, an MSI route and a local APIC, to a handler; time from the eventfd to it. */
int trial_interrupt(struct trial *trial, double *microseconds);

/* Time of an iret at CPL 0, three pushes and a loop; trial->vcpu.completed says who did it. */
int trial_iret(struct trial *trial, double *microseconds);

/* int n at CPL 3, into a handler at CPL 0. */
int trial_system_call(struct trial *trial);

/* Paging switched on in 32-bit mode. */
int trial_paging(struct trial *trial);

/* An SSE instruction that computes. */
int trial_sse(struct trial *trial);

#endif
