/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "exit_status.h"
#include "log.h"
#include "machine.h"
#include "machine/signals.h"
#include "options_parse.h"
#include "process.h"

static const char usage[] =
	"usage: vole run [options] KERNEL [-- command line of the guest]\n"
	"       vole inspect [options] KERNEL\n"
	"       vole doctor\n"
	"       vole --help | --version\n"
	"\n"
	"run      boots KERNEL: a 32-bit ELF executable for x86, raw code, firmware or Linux\n"
	"inspect  shows what run would do: segments, memory map, device map, entry state\n"
	"doctor   says whether this host has what vole needs, and if not, what to do\n"
	"\n"
	"      --boot auto|vole|flat|firmware|linux\n"
	"                      what KERNEL is (auto: by its content, but never flat)\n"
	"      --engine auto|kvm|soft\n"
	"                      what executes guest code: KVM, or vole's own software CPU\n"
	"                      (auto: KVM where /dev/kvm can be used)\n"
	"      --clock host|virtual\n"
	"                      the guest's time: the host's, or, with the software CPU, the\n"
	"                      number of instructions, so that a run can be repeated (host)\n"
	"      --load ADDRESS  where raw code (flat) goes and begins (0)\n"
	"  -m, --memory SIZE   RAM: bytes, or with K, M or G (64M)\n"
	"  -c, --cpus N        CPUs (1)\n"
	"  -d, --disk FILE[,ro][,serial=ID][,block-size=N][,queues=N][,FEATURE=on|off]...\n"
	"                      a disk; may be repeated. block-size is what the guest is\n"
	"                      told, 512 to 4096 (the host's own); queues up to 8 (1).\n"
	"                      Features are those of --virtio, and flush, config-wce,\n"
	"                      discard, write-zeroes, size-max, seg-max, blk-size,\n"
	"                      topology (on)\n"
	"      --console stdio|none|file:PATH|unix:PATH|pty[,name=NAME][,multiport=on|off]\n"
	"                [,FEATURE=on|off]...\n"
	"                      the console device (stdio); may be repeated, for one with\n"
	"                      several ports; ^A x ends the machine from a terminal, ^A ^A\n"
	"                      sends a ^A\n"
	"      --serial stdio|none|file:PATH|unix:PATH|pty\n"
	"                      the serial port (none; for Linux, stdio)\n"
	"      --rng host|none|file=PATH[,rate=BYTES/S][,FEATURE=on|off]...\n"
	"                      the entropy device (host): its source, and how much of it a\n"
	"                      guest gets (no limit)\n"
	"      --virtio FEATURE=on|off[,FEATURE=on|off]...\n"
	"                      what every device offers, unless its own option differs:\n"
	"                      indirect, event-idx, ring-reset (on); packed,\n"
	"                      in-order, notification-data (off)\n"
	"      --initrd FILE   the initial RAM disk, for Linux\n"
	"      --module FILE   handed to the guest in memory; may be repeated\n"
	"      --debug-port PORT\n"
	"                      where the byte console is (ELF 0xe9, firmware 0x402)\n"
	"      --log pio|mmio|exits\n"
	"                      says what each exit was; may be repeated\n"
	"      --max-exits N   ends the machine after N exits, with status 124\n"
	"      --timeout SECONDS\n"
	"                      ends the machine with status 124\n"
	"  -v, --verbose       says what the machine has, and how it ended\n"
	"\n"
	"In a list, a comma of the user's own is written twice.\n"
	"Standard output is the guest's alone; vole speaks on standard error. SIGUSR1 has\n"
	"it look at the disks' sizes again.\n"
	"\n"
	"Exit status: 0-119 the guest's own, 124 time-out or --max-exits, 125 vole\n"
	"could not do what was asked, 126 the guest crashed, 127 the kernel could not be\n"
	"loaded.\n";

/* Returns the exit status. */
static int show_text(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return 0;
	say("standard output: %s", strerror(errno));
	return EXIT_STATUS_VOLE;
}

/* Runs a machine. The exit status. */
static int run_machine(const struct options *options)
{
	int signal, status = machine_run(options, &signal);

	/* Whoever waits for us shall see which signal it was. */
	if (signal)
		signal_let_through(signal);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	const char *command = argc > 1 ? argv[1] : "";
	int ret;

	if (!process_prepare())
		return EXIT_STATUS_VOLE;
	if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
		return show_text(usage);
	if (strcmp(command, "--version") == 0)
		return show_text("vole 0.1\n");
	if (strcmp(command, "doctor") == 0 && argc == 2)
		return doctor();
	if (strcmp(command, "doctor") == 0) {
		say("doctor %s: it has no options", argv[2]);
		return EXIT_STATUS_VOLE;
	}
	if (strcmp(command, "run") != 0 && strcmp(command, "inspect") != 0) {
		if (*command)
			say("%s: unknown command", command);
		fputs(usage, stderr);
		return EXIT_STATUS_VOLE;
	}
	ret = options_parse(&options, argc - 1, argv + 1);
	if (ret != 0)
		return ret > 0 ? show_text(usage) : EXIT_STATUS_VOLE;
	return strcmp(command, "run") == 0 ? run_machine(&options) : machine_show(&options);
}
