/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BOOT_RESTORED_H
#define VMM_BOOT_RESTORED_H

/*
 * The boot of a machine that goes on from a checkpoint. Its image was loaded long ago: there is
 * only the board of the protocol that loaded it, the layout of memory, and what image_transfer()
 * has of the image, which the caller fills.
 */

#include "boot/boot.h"

/* Makes a boot with the board of the protocol that has this number, which exists, and without
 * memory regions, which the caller sets. Returns 0 or -ENOMEM, which is not said. The caller calls
 * boot_free(). */
int boot_restored(struct boot **boot, const struct options *options, unsigned protocol_number);

#endif
