/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VM_H
#define VMM_VM_H

/*
 * struct vm owns everything of a machine, from the image to the last thread. It is made and freed
 * by machine.c; the other files of machine/ each know a part of it.
 *
 * Threads: the I/O thread is the one that calls machine_run(). Guest code is executed by threads of
 * the engine's own, or by the I/O thread (cpu/engine.h). Tables that describe the machine (memory,
 * devices, ports) are complete before guest code runs and do not change then.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "block.h"
#include "boot/boot.h"
#include "chips/cmos.h"
#include "chips/i8042.h"
#include "chips/ioapic.h"
#include "chips/uart.h"
#include "chips/vga_text.h"
#include "console.h"
#include "cpu/engine.h"
#include "cpu/exit_log.h"
#include "cpu/memory.h"
#include "io/chardev.h"
#include "io/disk.h"
#include "io/entropy.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/overlay.h"
#include "io/result_file.h"
#include "layout.h"
#include "machine/worker.h"
#include "mmio.h"
#include "options.h"
#include "rng.h"
#include "see/views.h"

struct gdb;
struct history;
struct lines;
struct profile;
struct stats;
struct vm;
struct vm_device;
struct recording;

/* The eventfd of one queue: what a kick signals, by the engine's short cut or by hand. */
struct vm_kick {
	struct io_source source; /* fd -1: empty */
	struct vm_device *device;
	unsigned queue;
	atomic_bool is_set;  /* the engine has it: engine_ops.set_kick() */
	atomic_bool pending; /* it was kicked by hand, and is not served yet. Any thread */
	uint64_t turns;      /* engine_position.turns then, of a machine with vm.recording */
};

/* Device n is vm->devices[n]; device.c wires it. */
struct vm_device {
	struct vm *vm;
	struct virtio_device *virtio;
	struct virtio_mmio mmio;
	atomic_bool touched;   /* by an access to its window */
	struct worker *worker; /* NULL: it is served on the I/O thread. Not owned */
	unsigned index;
	struct vm_kick kicks[VIRTIO_QUEUES_MAX];
};

/* A port of the console device: its host's end. */
struct vm_console {
	struct vm *vm;
	unsigned index;
	struct chardev chardev;
};

struct vm_disk {
	struct disk disk;
	struct overlay overlay; /* fd -1: none, the disk itself is written */
	struct virtio_block block;
	struct worker worker; /* unused by an engine that executes on the I/O thread */
};

/* Returns what the device has of a disk. */
static inline struct block_backend *vm_disk_backend(struct vm_disk *disk)
{
	return disk->overlay.fd >= 0 ? &disk->overlay.backend : &disk->disk.backend;
}

struct vm_serial {
	struct chardev chardev;
	struct uart uart;
	bool present; /* uart is made */
	int gsi;      /* -1: it has no interrupt */
};

struct vm_keyboard {
	struct i8042 controller;
	bool present; /* controller is made */
};

/* Handles an access to a port; cpu->ctx is the struct vm. Called on the thread that executes the
 * CPU. Returns 0, or -ENXIO if the port does not exist or does not permit such an access. */
typedef int vm_port_access(
	struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

struct vm_port {
	uint16_t port, count;
	vm_port_access *access;
	const char *takes; /* the accesses that it permits, for messages: "writes of 4 bytes"; NULL:
			    * they are not for kernels to know */
};

/* Looks for CPUs that have all halted for good: halts.c. I/O thread, but for is_set. */
struct vm_halts {
	struct io_source timer; /* of the next look; fd -1: there are none */
	uint64_t delay_ns;      /* until then, if CPUs are still executing at that time */
	unsigned idle;          /* looks in a row at which all CPUs waited */
	atomic_bool is_set;     /* there will be a look soon; if not, interrupts ask for one */
	bool found;             /* the machine has ended for this reason */
};

/* The hang watch of --check: hang.c. I/O thread. */
struct vm_hang {
	struct io_source timer; /* of the looks; fd -1: there is none */
	uint64_t next_ns;       /* with the virtual clock: guest time of the next look */
};

#define PORTS_MAX 16

/* The thread of last_resort.c. */
struct vm_last_resort {
	int quit;  /* an eventfd: the thread ends; -1: empty */
	int hurry; /* an eventfd, which stays ready: the machine is to end; -1: empty */
	bool started;
	atomic_bool is_excused; /* a debugger looks at a machine that has ended, or searches the
				 * past: the I/O thread may be at that for any time */
	pthread_t thread;
};

/* The CPU that ended the machine, and what the report of its crash shows. Written by the thread
 * that executes it; read by the I/O thread after engine_ops.stop(). */
struct vm_crash {
	unsigned cpu;
	bool is_known; /* registers are set */
	struct cpu_registers registers;
};

/* The checkpoint that the user wants: checkpoint.c. */
struct vm_checkpoint {
	int fd;                   /* of its file; -1: none is wanted */
	struct listener listener; /* where clones get it, rather than from a folder */
	struct io_source wake;    /* an eventfd: it may be due; fd -1: none */
	struct io_source timer;   /* fd -1: none */
	atomic_bool is_asked;     /* the guest, or the timer, has */
	bool is_done;             /* it was tried. I/O thread */
	bool has_ended;           /* the machine: what it has under way is the clones' to do */
};

struct clone;

struct vm {
	const struct options *options; /* not owned */
	struct clone *clone;           /* NULL: the machine boots an image */
	struct recording *recording;   /* NULL: its run is neither recorded nor repeated. Owned */
	uint32_t generation;           /* 0; another number in each clone */

	struct boot *boot; /* what is loaded, and where */

	struct memory memory;
	const struct engine_ops *engine_ops; /* set by plan_engine() */
	const char *no_kvm;                  /* why --engine auto did not take KVM; NULL: it did */
	struct engine *engine;               /* NULL: not open */
	struct ioapic ioapic;
	struct cmos cmos;
	struct vm_keyboard keyboard;
	struct vga_text screen;
	struct io_loop loop;
	struct io_source signals; /* a signalfd */
	bool has_stopped;         /* no guest code is executed any more. I/O thread */
	struct io_source timer;   /* a timerfd; fd -1: no time-out */
	struct vm_last_resort last_resort;
	struct vm_halts halts;
	struct vm_hang hang;
	struct vm_checkpoint checkpoint;
	struct io_source state_report; /* an eventfd: the user has asked for the machine's state */
	bool report_asked;             /* and has not got it yet. I/O thread */
	unsigned pauses;               /* vm_pause() without vm_resume(). I/O thread */
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
	struct exit_log log;

	struct vm_crash crash;

	/* What the run leaves behind. I/O thread. */
	struct result_file core_file, coverage_file, profile_file;
	struct lines *lines;     /* the kernel's; NULL: not wanted, or it has none */
	struct profile *profile; /* samples; NULL: not wanted */
	struct io_source profile_timer;

	struct stats *stats; /* NULL: no --stats */
	struct views views;
	uint64_t began_ns;       /* by the host's clock: the origin of the events' time */
	struct gdb *gdb;         /* NULL: no --gdb */
	struct history *history; /* NULL: a debugger cannot go back. Owned */
	bool is_gdb_paused;      /* it has paused the machine. I/O thread */
	bool is_gdb_64; /* the kernel is a 64-bit one, and so are the registers that gdb sees */
	struct itimerspec gdb_timer; /* what was left of the time-out then */
	pthread_mutex_t report;      /* held by the CPU that reports a crash */
	pthread_mutex_t symbols;     /* a leaf: held while a symbol is looked up */
	atomic_int status;           /* exit status of vole; -1 while the machine runs */
	atomic_int signal;           /* the signal that ended the machine; 0: none */
	atomic_bool ended_outside;   /* the guest did not end it: the user did, or the host */
	atomic_bool is_kicked;       /* a queue is to be served by device_serve_kicked() */
	bool is_stuck;       /* a disk does not return, so nothing can be freed. I/O thread */
	bool discard_output; /* pending output is not waited for any more. I/O thread only */
	bool grace_used;     /* the time-out was prolonged, which drain.c does once */
};

/* Returns whether guest time is virtual: then what the guest sees of the devices may not depend on
 * how long the host takes. Any thread. */
bool vm_is_virtual(const struct vm *vm);

/* Returns false once the machine is ending. Any thread. */
bool vm_running(struct vm *vm);

/* Returns the kernel's symbol that a virtual address lies in, or after, and sets *offset; NULL:
 * none is known. Any thread. */
const char *vm_symbol(struct vm *vm, uint64_t address, uint32_t *offset);

/* Return how many instructions a CPU, or all CPUs, have executed so far, or 0 if the engine does
 * not know. Called as engine_ops.instructions(). */
uint64_t vm_cpu_instructions(struct vm *vm, unsigned cpu);
uint64_t vm_instructions(struct vm *vm);

/* Pauses all CPUs, as engine_ops.pause() does, and has them go on after as many calls of
 * vm_resume(). Several parts of the machine may want a pause at the same time. I/O thread. */
int vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/* Ends the machine with this exit status of vole, unless it is ending already. Returns whether this
 * was its end. Any thread. */
bool vm_end(struct vm *vm, int status);

/* vm_end() for what the guest has no part in: signals, the time-out, a host that fails. */
bool vm_end_outside(struct vm *vm, int status);

/* Ends the machine with this status, because output could not be written, or what the guest did was
 * not to be. If it is ending already, the status replaces status 0 only. Any thread. */
void vm_output_lost(struct vm *vm, int status);

/* Has pending output, and requests to disks, not be waited for any more. I/O thread. */
void vm_discard_output(struct vm *vm);

/* The contrary: the machine goes on after all. I/O thread. */
void vm_keep_output(struct vm *vm);

/* Ends the machine because the user asked for it: the quit() of chardevs whose ctx is the struct
 * vm. I/O thread. */
void vm_quit(void *ctx);

#endif
