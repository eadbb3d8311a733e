/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RECORDING_STATE_H
#define VMM_RECORDING_STATE_H

/* What a machine has whose run is recorded or repeated: recording.h. */

#include "io/sink.h"
#include "replay/outside.h"
#include "replay/record_file.h"

struct options;

struct recording {
	struct outside outside;
	struct record_setup setup;
	int fd;           /* of the file that is written; -1: none */
	struct sink sink; /* of fd */
	bool is_written;  /* sink is open */

	/* Since when the file does not take what is recorded (monotonic_ns()). */
	uint64_t waits_since_ns; /* 0: it does */
	bool said_waits;

	/* vole replay */
	bool is_replay;
	int replayed;                /* the record, open and locked; -1: none */
	bool has_ended;              /* the machine has come to the end of the record */
	const char *cut;             /* what is wrong with the record's end; NULL: nothing */
	struct options *options;     /* of the run, as far as they are the machine's. Owned */
	char **words;                /* into setup.words. Owned */
	struct engine_position idle; /* where the engine had nothing to execute the last time */
};

#endif
