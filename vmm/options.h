/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

/*
 * The options of the command line, as options_parse.c fills them. Strings point into argv.
 */

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_data.h"
#include "chaos.h"
#include "console.h"
#include "cpu/engine.h"
#include "cpu/exit_log.h"
#include "debug/gdb_options.h"
#include "feature_choice.h"
#include "sandbox/sandbox.h"

#define CPUS_MAX  64
#define DISKS_MAX (DEVICE_COUNT - 2) /* the others are console and rng */

/* Smallest and largest logical block size of a disk in bytes, powers of two. Guests support no
 * larger ones. */
#define DISK_BLOCK_MIN 512
#define DISK_BLOCK_MAX 4096

enum disk_poll {
	DISK_POLL_AUTO,
	DISK_POLL_OFF,
	DISK_POLL_FIXED,
};

/* How long a look at the queues takes at most, in microseconds. */
#define DISK_POLL_MAX 1000

struct disk_options {
	const char *path;
	const char *serial; /* NULL: none given; at most 20 bytes */
	bool read_only;
	bool is_private;     /* what is written is kept beside the file, and lost at the end */
	bool is_raw;         /* the user insists, whatever its bytes look like */
	unsigned block_size; /* 0: none given */
	unsigned queue_count;
	enum disk_poll poll;
	unsigned poll_us; /* with DISK_POLL_FIXED */
	struct feature_choice features;
};

/* A port of the console device. */
struct console_options {
	const char *host; /* "stdio", "none", "file:PATH", "unix:PATH" or "pty" */
	const char *name; /* NULL: none given; at most VIRTIO_CONSOLE_NAME_MAX bytes */
};

/* --checkpoint. */
struct checkpoint_options {
	const char *path; /* NULL: none is taken */
	bool goes_on;     /* the machine does, afterwards */
	bool has_time;    /* it is taken at a time, rather than when the guest asks for it */
	uint64_t time_ns; /* nanoseconds of guest time */
};

struct options {
	bool is_clone;  /* kernel is a checkpoint */
	bool is_replay; /* kernel is a record; then that of the run, and replayed the record */
	const char *kernel;
	const char *replayed;
	const char *replay_kernel; /* where the kernel is on this host; NULL: where it was */
	const char *record;        /* file to record to; NULL: none */
	const char *words; /* of the command line, each with a NUL, with record; not owned */
	size_t words_len;
	const char *boot;   /* name of a boot protocol, or "auto" */
	const char *engine; /* "auto", "kvm" or "soft" */
	enum engine_clock clock;
	bool has_clock;       /* the user chose it */
	uint32_t memory_size; /* bytes; validated by the boot protocol */
	unsigned cpu_count;
	unsigned console_count; /* 0: left out */
	struct console_options consoles[VIRTIO_CONSOLE_PORTS_MAX];
	enum { MULTIPORT_LEFT_OUT, MULTIPORT_OFF, MULTIPORT_ON } multiport;
	const char *serial; /* as host of a console; NULL: left out */
	enum { RNG_LEFT_OUT, RNG_NONE, RNG_PRESENT } rng;
	const char *rng_file;           /* NULL: the host's own random bytes */
	uint32_t rng_rate;              /* bytes a second; 0: no limit */
	struct feature_choice features; /* of all virtio devices; then of single ones */
	struct feature_choice console_features, rng_features;
	struct chaos_choice chaos; /* of all virtio devices */
	unsigned disk_count;
	struct disk_options disks[DISKS_MAX];
	unsigned module_count;
	const char *modules[MODULES_MAX];
	const char *initrd; /* NULL: none */
	bool has_load;
	uint32_t load; /* where raw code goes */
	bool has_debug_port;
	uint16_t debug_port;                   /* of the byte console */
	unsigned log;                          /* of exits, to standard error: EXIT_LOG_ values */
	const char *log_files[EXIT_LOG_WORDS]; /* of exits, by exit_log_words; NULL: none */
	bool log_virtio;
	const char *log_virtio_file; /* NULL: standard error */
	const char *capture;         /* "-": standard output; NULL: none */
	uint32_t capture_snap;       /* bytes */
	bool capture_stores;
	const char *trace; /* NULL: none */
	bool stats;
	const char *stats_file; /* for JSON; NULL: a table on standard error */
	uint64_t exits_max;     /* 0: no limit */
	unsigned timeout;       /* seconds; 0: none */
	struct checkpoint_options checkpoint;
	struct gdb_options gdb;
	bool screen; /* the screen of boards that have one is shown at the end */
	bool check_virtio, check_fatal;
	enum sandbox_mode sandbox;
	bool verbose;

	/* What a run leaves behind. Files; NULL: none. */
	const char *core, *coverage, *profile;
	unsigned profile_hz; /* 0: left out */
	unsigned last;       /* instructions of each CPU to show; 0: none */

	char cmdline[VOLE_CMDLINE_MAX]; /* words after "--", joined by spaces */
};

#endif
