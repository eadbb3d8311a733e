/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PROBE_H
#define VMM_PROBE_H

/*
 * A throw-away VM for `vole doctor`: one vCPU, 1 MiB of RAM, split irqchip, and a handful of small
 * programs that show what the host's KVM can do and what it costs. Each probe is a function that
 * may be called any number of times, in any order. Memory and vCPU are those of `vole run`, but for
 * the thread, and instructions that KVM hands back are completed as there.
 *
 * All return 0, or
 *   -EOPNOTSUPP  KVM has no such instruction
 *   -EFAULT      the program got an exception instead
 *   -ENODEV      it did not stop at the place
 *   -ETIMEDOUT   it did not end within PROBE_SECONDS
 *   -errno       an ioctl failed (said on standard error) or the VM ended otherwise (-EIO)
 *
 * SIGALRM is used while one exists, so a process has at most one, and in one thread.
 */

#include <signal.h>
#include <stdint.h>

#include "cpu/memory.h"
#include "kvm/kvm.h"
#include "kvm/vcpu.h"

#define PROBE_SECONDS 3

struct probe {
	struct kvm kvm;
	struct memory memory;
	struct vcpu vcpu;     /* its count of completed instructions is the last program's */
	int ioeventfd, irqfd; /* -1: not yet */
	uint64_t deadline;    /* of the program that runs, ns of CLOCK_MONOTONIC */
	struct sigaction old_alarm;
};

/* Creates the VM. The caller calls probe_free() whatever is returned. */
int probe_init(struct probe *probe);
void probe_free(struct probe *probe);

/* Measures the time of a million instructions: a loop of two cheap ones. */
int probe_speed(struct probe *probe, double *microseconds);

/* Measures the time of a port write that goes to user space and back. */
int probe_exit(struct probe *probe, double *microseconds);

/* Measures the time of a store that signals an eventfd. Returns -EIO if the signal does not
 * arrive. */
int probe_ioeventfd(struct probe *probe, double *microseconds);

/* Measures the time from an eventfd by an MSI route and a local APIC to an interrupt handler. */
int probe_interrupt(struct probe *probe, double *microseconds);

/* Measures the time of an iret at CPL 0, three pushes and a loop. probe->vcpu.completed tells
 * whether vole completed the iret. */
int probe_iret(struct probe *probe, double *microseconds);

/* Executes int n at CPL 3, with a handler at CPL 0. */
int probe_system_call(struct probe *probe);

/* Switches paging on in 32-bit mode. */
int probe_paging(struct probe *probe);

/* Executes an SSE instruction that computes. */
int probe_sse(struct probe *probe);

/* Stop at an instruction, and after a store, by debug registers of a debugger's
 * (kvm/debug_registers.h). */
int probe_breakpoint(struct probe *probe);
int probe_watchpoint(struct probe *probe);

#endif
