/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

/*
 * The machine: one struct vm owns everything, from the image to the last thread, and is torn down
 * in the reverse order of its making.
 *
 * machine.c is its life. Its parts are in machine/, in the order in which they are made: plan.h
 * (what it is to have), cpus.h, signals.h, devices.h (which are there), device.h (how one is wired
 * to KVM), serial.h, ports.h, cpu_start.h, timers.h, drain.h (its end).
 *
 * Threads: one per vCPU, and the I/O thread, which is the one that calls machine_run(). Tables that
 * describe the machine (memory, devices) are complete before a vCPU runs and do not change then.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "boot/boot.h"
#include "chips/cmos.h"
#include "chips/ioapic.h"
#include "console.h"
#include "io/entropy.h"
#include "io/loop.h"
#include "kvm/kvm.h"
#include "kvm/memory.h"
#include "kvm/vcpu.h"
#include "kvm/watch.h"
#include "layout.h"
#include "machine/device.h"
#include "machine/devices.h"
#include "machine/ports.h"
#include "machine/serial.h"
#include "options.h"
#include "rng.h"

struct vm {
	const struct options *options; /* not owned */

	struct boot *boot; /* what is loaded, and where: machine_plan() */

	/* The machine itself: machine_run(). */
	struct kvm kvm;
	struct memory memory;
	struct ioapic ioapic;
	struct cmos cmos;
	struct io_loop loop;
	struct io_source signals; /* a signalfd */
	struct io_source timer;   /* a timerfd; fd -1: no time-out */
	struct io_source halts;   /* a timerfd; fd -1: halted CPUs are not looked for */
	unsigned halts_seen;      /* how often in a row all had halted. I/O thread only */
	struct virtio_console console;
	unsigned console_count;
	struct vm_console *consoles; /* its ports */
	struct vm_serial serial;
	struct entropy entropy;
	struct virtio_rng rng;
	unsigned disk_count;
	struct vm_disk *disks;
	unsigned device_count;
	unsigned place_count;
	struct boot_device places[DEVICE_COUNT]; /* what the guest is told of devices */
	struct vm_device devices[DEVICE_COUNT];
	unsigned port_count;
	struct vm_port ports[PORTS_MAX];
	unsigned vcpu_count;
	struct vcpu *vcpus;
	struct watch watch;
	pthread_mutex_t report; /* held by the vCPU that tells of a crash */
	atomic_int status;      /* exit status of vole; -1 while the machine runs */
	int signal;             /* that ended the machine; 0: none. I/O thread only */
	bool hurry;             /* user or clock want the end: wait for nothing. I/O thread only */
	bool overtime;          /* the time is over, and was prolonged once: drain.c */
};

/*
 * Read kernel and modules and lay out the machine. 0, or the exit status of vole (what is wrong was
 * said). Undone by machine_free() whatever is returned.
 */
int machine_plan(struct vm *vm, const struct options *options);

/* Print the planned machine on standard output, for `vole inspect`. Returns the exit status of
 * vole. */
int machine_show(struct vm *vm);

/* Build the planned machine and run it to its end. Returns the exit status of vole. If a signal
 * ended the machine, vm->signal names it. */
int machine_run(struct vm *vm);

void machine_free(struct vm *vm);

/* What follows is for the parts of the machine. */

/* False once the machine is ending. Any thread. */
bool machine_running(struct vm *vm);

/* End the machine with this status, unless it is ending already. Whether this was its end. Any
 * thread. */
bool machine_end(struct vm *vm, int status);

/* Output could not be written: the end, with this status; if the machine is ending already, only in
 * the place of status 0. Any thread. */
void machine_output_lost(struct vm *vm, int status);

/* The user wants the end: quit() of a chardev whose context is the struct vm. I/O thread. */
void machine_quit(void *ctx);

#endif
