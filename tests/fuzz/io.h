/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_IO_H
#define TESTS_FUZZ_IO_H

/*
 * All of vmm/io on one real loop: a console on a UNIX socket with its clients, a disk file, entropy
 * from a FIFO, and a driver that behaves. io.c says what an input does; io_guest.c is the driver
 * and the loop; io_port.c and io_disk.c know what the guest, the clients and the file must see.
 */

#include <sys/uio.h>

#include "../driver.h"
#include "block.h"
#include "console.h"
#include "input.h"
#include "io/chardev.h"
#include "io/disk.h"
#include "io/entropy.h"
#include "rng.h"

#define IO_PATH_SIZE   96
#define IO_SLOTS       DRIVER_QUEUE_SIZE
#define IO_CLIENTS_MAX 12
#define IO_DISK_MAX    (128 * 512) /* bytes that the file can grow to */

/* A driver of one device whose kicks are sources of the loop, as vmm/machine/device.c has them. */
struct io_guest {
	struct driver driver;
	struct io_kick {
		struct io_source source;
		struct io_guest *guest;
		unsigned queue;
	} kicks[8];
	unsigned kick_count;
};

/* One direction of a port, or the requests of another device: buffers, used in their order. */
struct io_lane {
	struct io_guest *guest;
	unsigned queue;
	gpa_t slots;
	uint32_t slot_size;
	uint32_t len[IO_SLOTS];
	unsigned offered, used; /* so many in all */
};

struct io_client {
	int fd;        /* -1: closed */
	unsigned sent; /* bytes */
	bool is_shut;  /* for one direction */
};

struct io_port {
	struct chardev chardev;
	struct virtio_console console;
	struct io_guest guest;
	char address[5 + IO_PATH_SIZE]; /* "unix:", and the path */
	struct io_lane receive, transmit;
	struct io_client clients[IO_CLIENTS_MAX];
	unsigned client_count;
	unsigned reader, pos; /* the guest reads this client's byte at pos next */
	uint64_t printed;     /* bytes given to the device */
};

struct io_request {
	uint32_t type, sectors;
	uint64_t sector;
	bool unmap;
	uint8_t fill;
};

struct io_disk {
	struct io_guest guest;
	struct virtio_block block;
	struct disk disk;
	struct io_lane lane;
	struct io_request requests[IO_SLOTS];
	int file;
	bool is_faulty;    /* the host's faults are on, and one request is under way */
	bool flush_failed; /* once, and so from then on */
	uint8_t model[IO_DISK_MAX];
	uint64_t size, capacity; /* of the file in bytes; as the driver sees it, in sectors */
};

struct io_random {
	struct io_guest guest;
	struct virtio_rng rng;
	struct entropy entropy;
	struct io_lane lane;
	char path[IO_PATH_SIZE];
	int writer; /* -1: closed */
	bool ended; /* a writer has left: the FIFO may end, which fails the device */
	unsigned written, read, resets;
};

struct io_world {
	struct input in;
	struct io_loop loop;
	struct io_port port;
	struct io_disk disk;
	struct io_random random;
};

/* io_guest.c */
void io_guest_begin(struct io_guest *guest);
void io_guest_attach(struct io_world *world, struct io_guest *guest, struct virtio_device *dev);
void io_guest_end(struct io_guest *guest);
void io_lane_init(struct io_lane *lane, struct io_guest *guest, unsigned queue, uint32_t slot_size);
bool io_lane_full(const struct io_lane *lane);
/* The next free buffer, and the place of one that was used; offers it after it was filled. */
uint8_t *io_lane_bytes(const struct io_lane *lane, unsigned number);
void io_lane_offer(struct io_lane *lane, const struct buffer *buffers, unsigned count);
void io_lane_offer_one(struct io_lane *lane, uint32_t len, bool write);
/* Takes the next used buffer: its number and the used length. It must be the oldest. */
bool io_lane_take(struct io_lane *lane, unsigned *number, uint32_t *len);
/* Lets a timer that is set be ready at once. */
void io_hurry(const struct io_source *timer);
/* Serves what is ready, once; until nothing is, which must come to pass. */
void io_step(struct io_world *world);
void io_rest(struct io_world *world);

/* io_port.c */
void io_port_open(struct io_world *world);
void io_port_offer(struct io_world *world);
void io_port_print(struct io_world *world);
void io_port_client(struct io_world *world);
void io_port_run_out(struct io_world *world);
void io_port_collect(struct io_world *world);
void io_port_check(struct io_world *world);
void io_port_close(struct io_world *world);

/* io_disk.c */
void io_disk_open(struct io_world *world);
void io_disk_request(struct io_world *world);
void io_disk_resize(struct io_world *world);
void io_disk_look(struct io_world *world);
void io_disk_collect(struct io_world *world);
void io_disk_close(struct io_world *world);

/* io_fault.c: what became of the calls on the disk's file. */
struct io_fault {
	bool failed; /* one, so the request has */
	bool unable; /* fallocate(2) is not supported */
};

/* Has the next calls on this open file meet with faults; ends that. */
void io_fault_begin(int file, uint64_t faults);
struct io_fault io_fault_end(void);

/* io_random.c */
void io_random_open(struct io_world *world);
void io_random_ask(struct io_world *world);
void io_random_write(struct io_world *world);
void io_random_collect(struct io_world *world);
void io_random_close(struct io_world *world);

/* io.c: a path in this process's folder, of IO_PATH_SIZE bytes. */
void io_path(char *path, const char *name);

#endif
