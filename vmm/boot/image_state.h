/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_IMAGE_STATE_H
#define VMM_IMAGE_STATE_H

/* What reports need of an image, in a stream: where it is loaded, and its symbols. */

#include "boot/elf.h"

struct snapshot_stream;

/* Largest tables of symbols that are saved, in bytes, both together: more than those of Linux. Of
 * an image with larger ones no symbols are known in a clone. */
#define SYMBOLS_SAVED_MAX (2u << 20)

/* Transfers the image to or from a stream (snapshot/stream.h): the symbols of one that is closed,
 * to one that is empty, or was filled by this function, and is freed by image_free(). */
void image_transfer(struct image *image, struct snapshot_stream *stream);

#endif
