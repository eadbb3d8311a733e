/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TRACE_FILE_H
#define VMM_TRACE_FILE_H

/*
 * Writes a trace of Perfetto's TrackEvent packets (perfetto.dev, "Synthetic TrackEvents"): tracks
 * with slices that nest, moments, and flows between them. One thread at a time.
 */

#include <stdint.h>

#include "io/sink.h"
#include "see/bytes.h"

struct trace_file {
	struct sink sink;
	struct bytes packet;
	uint64_t tracks; /* how many were described */
};

/* A track; 0: it was not described yet. */
typedef uint64_t trace_track;

#define TRACE_FLOWS_MAX 16

/* What is added to an event. */
struct trace_details {
	unsigned flow_count, ended_count;
	uint64_t flows[TRACE_FLOWS_MAX]; /* that go through the event */
	uint64_t ended[TRACE_FLOWS_MAX]; /* that end here */
	const char *text;                /* in words; NULL: nothing */
};

/* Opens the file, as sink_open() does, and begins it, with a track that all others are below.
 * Returns 0 or -errno; after 0 the caller calls trace_file_close(). */
int trace_file_open(
	struct trace_file *file, const char *path, struct sink_wait wait, const char *process);
struct sink_end trace_file_close(struct trace_file *file);

/* Describes a track below another one, or below that of the process if parent is 0. */
trace_track trace_file_track(struct trace_file *file, const char *name, trace_track parent);

/* Begin and end a slice; a track's slices nest. details may be NULL. */
void trace_file_begin(struct trace_file *file, uint64_t ns, trace_track track, const char *name,
	const struct trace_details *details);
void trace_file_end(struct trace_file *file, uint64_t ns, trace_track track);

/* A moment. */
void trace_file_instant(struct trace_file *file, uint64_t ns, trace_track track, const char *name,
	const struct trace_details *details);

#endif
