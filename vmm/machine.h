/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

/*
 * The machine: one struct vm owns everything, from the image to the last thread, and is torn down
 * in the reverse order of its making. Here, and only here, devices meet KVM.
 *
 * Threads: one per vCPU, and the I/O thread, which is the one that calls machine_run(). Tables that
 * describe the machine (memory, devices) are complete before a vCPU runs and do not change then.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "block.h"
#include "boot.h"
#include "chardev.h"
#include "cmos.h"
#include "console.h"
#include "disk.h"
#include "ioapic.h"
#include "kvm.h"
#include "loop.h"
#include "memory.h"
#include "mmio.h"
#include "options.h"
#include "rng.h"
#include "uart.h"
#include "vcpu.h"
#include "watch.h"

struct vm;
struct vm_device;

/* The eventfd of one queue: what a kick signals, by ioeventfd or by hand. */
struct vm_kick {
	struct io_source source; /* fd -1: empty */
	struct vm_device *device;
	unsigned queue;
};

/* A device's place in the machine: window, interrupt, kicks. Device n is vm->devices[n]. */
struct vm_device {
	struct vm *vm;
	struct virtio_device *virtio;
	struct virtio_mmio mmio;
	unsigned index;
	int interrupt; /* an irqfd; -1: empty */
	struct vm_kick kicks[VIRTIO_QUEUES_MAX];
};

/* Ports that somebody answers. 0, or -ENXIO if not to an access like this. */
typedef int vm_port_access(
	struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

struct vm_port {
	uint16_t port, count;
	vm_port_access *access;
};

#define PORTS_MAX 16

/* The serial port and its host's end. */
struct vm_serial {
	struct chardev chardev;
	struct uart uart;
	bool present;  /* uart is made */
	int interrupt; /* an irqfd; -1: empty */
};

struct vm_disk {
	struct disk disk;
	struct virtio_block block;
};

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
	struct chardev chardev;
	struct virtio_console console;
	struct vm_serial serial;
	struct rng_backend entropy;
	struct virtio_rng rng;
	unsigned disk_count;
	struct vm_disk *disks;
	unsigned device_count;
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

#endif
