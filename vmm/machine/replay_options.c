/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/replay_options.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "options.h"
#include "replay/record_file.h"

/* Validates that the command line names all disks or consoles of the record, or none. */
static int check_count(const char *option, unsigned own, unsigned recorded)
{
	if (own == 0 || own == recorded)
		return 0;
	say("--%s: the record has %u: it is given for each, in their order, or for none", option,
		recorded);
	return -EINVAL;
}

static int take_disks(
	struct options *run, const struct options *own, const struct record_setup *setup)
{
	int ret = check_count("disk", own->disk_count, run->disk_count);

	for (unsigned i = 0; ret == 0 && i < run->disk_count; i++) {
		struct disk_options *disk = &run->disks[i];

		if (own->disk_count > 0)
			disk->path = own->disks[i].path;
		/* The run may write, and the file stays as it is. */
		disk->read_only = false;
		disk->is_private = true;
		disk->block_size = setup->disks[i].block_size;
	}
	return ret;
}

static int take_modules(struct options *run, const struct options *own)
{
	int ret = check_count("module", own->module_count, run->module_count);

	for (unsigned i = 0; ret == 0 && i < own->module_count; i++)
		run->modules[i] = own->modules[i];
	if (own->initrd && !run->initrd) {
		say("--initrd %s: the record has none", own->initrd);
		return -EINVAL;
	}
	if (own->initrd)
		run->initrd = own->initrd;
	return ret;
}

/* Where output goes that the user says nothing of: nothing of the host's is overwritten or waited
 * for, and standard output has what it had. */
static const char *usual_host(const char *host)
{
	return !host || strcmp(host, "stdio") == 0 || strcmp(host, "none") == 0 ? host
										: "file:/dev/null";
}

static bool has_no_console(const struct options *options)
{
	return options->console_count > 0 && strcmp(options->consoles[0].host, "none") == 0;
}

static int take_consoles(struct options *run, const struct options *own)
{
	bool had_serial = run->serial && strcmp(run->serial, "none") != 0;
	unsigned recorded = has_no_console(run) ? 0 : run->console_count;
	int ret;

	if (has_no_console(own) && recorded > 0) {
		say("--console none: the record has a console");
		return -EINVAL;
	}
	ret = check_count("console", has_no_console(own) ? 0 : own->console_count, recorded);
	for (unsigned i = 0; ret == 0 && i < run->console_count; i++)
		run->consoles[i].host = own->console_count > 0 ? own->consoles[i].host
							       : usual_host(run->consoles[i].host);
	if (own->serial && had_serial != (strcmp(own->serial, "none") != 0)) {
		say("--serial %s: the record has %s serial port", own->serial,
			had_serial ? "a" : "no");
		return -EINVAL;
	}
	run->serial = own->serial ? own->serial : usual_host(run->serial);
	return ret;
}

/* What shows a run, and changes nothing in it. */
static void take_views(struct options *run, const struct options *own)
{
	run->log = own->log;
	memcpy(run->log_files, own->log_files, sizeof run->log_files);
	run->log_virtio = own->log_virtio;
	run->log_virtio_file = own->log_virtio_file;
	run->capture = own->capture;
	run->capture_snap = own->capture_snap;
	run->capture_stores = own->capture_stores;
	run->trace = own->trace;
	run->stats = own->stats;
	run->stats_file = own->stats_file;
	run->gdb = own->gdb;
	run->screen = own->screen;
	run->check_virtio |= own->check_virtio;
	run->core = own->core;
	run->coverage = own->coverage;
	run->profile = own->profile;
	run->profile_hz = own->profile_hz;
	run->last = own->last;
	run->timeout = own->timeout;
	run->sandbox = own->sandbox;
	run->verbose = own->verbose;
}

int replay_options(struct options *run, const struct options *own, const struct record_setup *setup)
{
	int ret;

	if (run->disk_count != setup->disk_count ||
		1 + run->module_count + (run->initrd != NULL) != setup->file_count) {
		say("%s: a record that cannot be used: its command line has other files",
			own->kernel);
		return -EINVAL;
	}
	ret = take_disks(run, own, setup);
	if (ret == 0)
		ret = take_modules(run, own);
	if (ret == 0)
		ret = take_consoles(run, own);
	if (ret < 0)
		return ret;
	take_views(run, own);
	run->is_replay = true;
	run->record = NULL;
	run->replayed = own->kernel;
	run->kernel = own->replay_kernel ? own->replay_kernel : run->kernel;
	run->engine = "soft";
	run->clock = ENGINE_CLOCK_VIRTUAL;
	run->rng_file = NULL; /* entropy is in the record */
	run->rng_rate = 0;
	return 0;
}
