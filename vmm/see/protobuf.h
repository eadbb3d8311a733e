/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PROTOBUF_H
#define VMM_PROTOBUF_H

/*
 * Adds fields of Protocol Buffers messages to a record (protobuf.dev, "Encoding"). A message inside
 * of another has four bytes for its length, so that the length can be stored once it is known.
 */

#include "see/bytes.h"

void protobuf_uint(struct bytes *bytes, unsigned field, uint64_t value);
void protobuf_fixed64(struct bytes *bytes, unsigned field, uint64_t value);
void protobuf_string(struct bytes *bytes, unsigned field, const char *value);

/* Begins a message that is the field's value. Returns what protobuf_end() is to be given. */
size_t protobuf_begin(struct bytes *bytes, unsigned field);
void protobuf_end(struct bytes *bytes, size_t begun);

#endif
