/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEVICES_H
#define VMM_DEVICES_H

/*
 * The devices that the machine has, each made with its back end on the host: serial port, console,
 * entropy, disks; in this order, which is that of their places.
 */

struct vm;

/* Write down in vm->places which there will be. */
void devices_place(struct vm *vm);

/* Opens the files that disks and the entropy device read and write, and locks the disks. After
 * io_loop_init(). Undone by devices_free() whatever is returned. 0 or -errno (said). */
int devices_open(struct vm *vm);

/* Make all that the plan has. Undone by devices_free() whatever is returned. 0 or -errno (said). */
int devices_add(struct vm *vm);
void devices_free(struct vm *vm);

/* Disks whose images have another size are so for the guest too. I/O thread. */
void devices_resize_disks(struct vm *vm);

#endif
