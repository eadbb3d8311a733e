/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/trace_file.h"

#include <stddef.h>

#include "see/protobuf.h"

#define PACKET_MAX 4096

/* Numbers of fields, by Perfetto's protos. */
enum {
	TRACE_PACKET = 1,

	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE_ID = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_TRACK_DESCRIPTOR = 60,

	DESCRIPTOR_UUID = 1,
	DESCRIPTOR_NAME = 2,
	DESCRIPTOR_PROCESS = 3,
	DESCRIPTOR_PARENT = 5,

	PROCESS_PID = 1,
	PROCESS_NAME = 6,

	EVENT_ANNOTATION = 4,
	EVENT_TYPE = 9,
	EVENT_TRACK = 11,
	EVENT_NAME = 23,
	EVENT_FLOW = 47,
	EVENT_FLOW_END = 48,

	ANNOTATION_STRING = 6,
	ANNOTATION_NAME = 10,
};

/* TrackEvent.Type */
enum { SLICE_BEGIN = 1, SLICE_END = 2, INSTANT = 3 };

#define PROCESS_TRACK 1
#define SEQUENCE      1

/* --- packets ---------------------------------------------------------------------------------- */

static size_t begin_packet(struct trace_file *file)
{
	size_t begun;

	bytes_begin(&file->packet);
	begun = protobuf_begin(&file->packet, TRACE_PACKET);
	protobuf_uint(&file->packet, PACKET_SEQUENCE_ID, SEQUENCE);
	return begun;
}

static void end_packet(struct trace_file *file, size_t begun)
{
	protobuf_end(&file->packet, begun);
	if (!file->packet.full)
		sink_write(&file->sink, file->packet.data, file->packet.len);
}

static void write_descriptor(
	struct trace_file *file, trace_track track, const char *name, trace_track parent)
{
	struct bytes *packet = &file->packet;
	size_t begun = begin_packet(file), descriptor, process;

	descriptor = protobuf_begin(packet, PACKET_TRACK_DESCRIPTOR);
	protobuf_uint(packet, DESCRIPTOR_UUID, track);
	if (parent) {
		protobuf_string(packet, DESCRIPTOR_NAME, name);
		protobuf_uint(packet, DESCRIPTOR_PARENT, parent);
	} else {
		process = protobuf_begin(packet, DESCRIPTOR_PROCESS);
		protobuf_uint(packet, PROCESS_PID, 1);
		protobuf_string(packet, PROCESS_NAME, name);
		protobuf_end(packet, process);
	}
	protobuf_end(packet, descriptor);
	end_packet(file, begun);
}

static void add_details(struct bytes *packet, const struct trace_details *details)
{
	size_t begun;

	for (unsigned i = 0; i < details->flow_count; i++)
		protobuf_fixed64(packet, EVENT_FLOW, details->flows[i]);
	for (unsigned i = 0; i < details->ended_count; i++)
		protobuf_fixed64(packet, EVENT_FLOW_END, details->ended[i]);
	if (!details->text)
		return;
	begun = protobuf_begin(packet, EVENT_ANNOTATION);
	protobuf_string(packet, ANNOTATION_NAME, "what");
	protobuf_string(packet, ANNOTATION_STRING, details->text);
	protobuf_end(packet, begun);
}

static void write_event(struct trace_file *file, uint64_t ns, unsigned type, trace_track track,
	const char *name, const struct trace_details *details)
{
	struct bytes *packet = &file->packet;
	size_t begun = begin_packet(file), event;

	protobuf_uint(packet, PACKET_TIMESTAMP, ns);
	event = protobuf_begin(packet, PACKET_TRACK_EVENT);
	protobuf_uint(packet, EVENT_TYPE, type);
	protobuf_uint(packet, EVENT_TRACK, track);
	if (name)
		protobuf_string(packet, EVENT_NAME, name);
	if (details)
		add_details(packet, details);
	protobuf_end(packet, event);
	end_packet(file, begun);
}

/* --- the file --------------------------------------------------------------------------------- */

int trace_file_open(
	struct trace_file *file, const char *path, struct sink_wait wait, const char *process)
{
	int ret = sink_open(&file->sink, path, wait);

	if (ret < 0)
		return ret;
	ret = bytes_init(&file->packet, PACKET_MAX);
	if (ret < 0) {
		sink_close(&file->sink);
		return ret;
	}
	file->tracks = PROCESS_TRACK;
	write_descriptor(file, PROCESS_TRACK, process, 0);
	return 0;
}

struct sink_end trace_file_close(struct trace_file *file)
{
	struct sink_end end = sink_close(&file->sink);

	bytes_free(&file->packet);
	return end;
}

trace_track trace_file_track(struct trace_file *file, const char *name, trace_track parent)
{
	trace_track track = ++file->tracks;

	write_descriptor(file, track, name, parent ? parent : PROCESS_TRACK);
	return track;
}

void trace_file_begin(struct trace_file *file, uint64_t ns, trace_track track, const char *name,
	const struct trace_details *details)
{
	write_event(file, ns, SLICE_BEGIN, track, name, details);
}

void trace_file_end(struct trace_file *file, uint64_t ns, trace_track track)
{
	write_event(file, ns, SLICE_END, track, NULL, NULL);
}

void trace_file_instant(struct trace_file *file, uint64_t ns, trace_track track, const char *name,
	const struct trace_details *details)
{
	write_event(file, ns, INSTANT, track, name, details);
}
