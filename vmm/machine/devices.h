/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEVICES_H
#define VMM_DEVICES_H

/*
 * The devices that the machine has, each made with its back end on the host: serial port, console,
 * entropy, disks; in this order, which is that of their places.
 */

struct vm;

/* Fills vm->places with the devices that the machine will have. */
void devices_place(struct vm *vm);

/* Opens the files that disks and the entropy device read and write, and locks the disks. After
 * io_loop_init(). Undone by devices_free() whatever is returned. 0 or -errno (said). */
int devices_open(struct vm *vm);

/* Makes all devices of the plan. Returns 0 or -errno (said). The caller calls devices_free()
 * whatever is returned. */
int devices_add(struct vm *vm);
void devices_free(struct vm *vm);

/* Says why the guest may have touched no virtio device, if the user asked for one and the board
 * knows a reason. At the end of the machine. */
void devices_say_untouched(const struct vm *vm);

/* Undoes what outlives the process: restores terminals and removes sockets. For a machine that
 * cannot be freed. */
void devices_leave(struct vm *vm);

/* Updates the capacity of each disk whose image has changed its size, and tells the guest. I/O
 * thread. */
void devices_resize_disks(struct vm *vm);

#endif
