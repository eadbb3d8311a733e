/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEBUG_PACKET_H
#define VMM_DEBUG_PACKET_H

/*
 * Packets of the gdb remote protocol ("Debugging with GDB", appendix E): "$", content, "#", and the
 * sum of the content's bytes modulo 256 as two hexadecimal digits. In the content "}" and the next
 * byte stand for one byte, which is that one with bit 5 inverted. Between packets there are single
 * bytes: "+" and "-" acknowledge a packet or ask for it again, 0x03 asks the target to stop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest content that is accepted and sent, in bytes: PacketSize in the reply to qSupported.
 */
#define PACKET_MAX 16384

/* The longest packet: each byte of the content may be escaped. */
#define PACKET_BYTES_MAX (2 * PACKET_MAX + 4)

/* A packet on its way in. All zero: none. */
struct packet {
	enum { PACKET_BETWEEN, PACKET_CONTENT, PACKET_ESCAPED, PACKET_SUM_1, PACKET_SUM_2 } state;
	uint8_t sum;                /* of the content */
	char digits[2];             /* of the sum that was sent */
	bool too_long;              /* content was left out */
	size_t len;                 /* of the content */
	char bytes[PACKET_MAX + 1]; /* the content, with a NUL behind it */
};

enum packet_event {
	PACKET_NOTHING,
	PACKET_COMPLETE,  /* bytes and len are a packet's, until the next byte is taken */
	PACKET_DAMAGED,   /* the sum is wrong, or the packet is too long */
	PACKET_ACCEPTED,  /* "+" */
	PACKET_REFUSED,   /* "-" */
	PACKET_INTERRUPT, /* 0x03 */
};

/* Takes a byte from the debugger. Bytes that belong to nothing are ignored. */
enum packet_event packet_take(struct packet *packet, uint8_t byte);

/* Returns how many bytes behind a packet, of all that begin with it, are copies of it. A debugger
 * that has no acknowledgement for some seconds (gdb: set remotetimeout) sends its packet again,
 * which is no other request. Only copies that came with the packet are known as such. */
size_t packet_copies(const uint8_t *packet, size_t len, size_t all);

/* Writes a packet with this content to bytes, which has room for 2 * len + 4. Returns its length.
 */
size_t packet_make(char *bytes, const char *content, size_t len);

#endif
