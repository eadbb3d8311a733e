/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_VIRTIO_BLK_H
#define VOLE_VIRTIO_BLK_H

/*
 * Block device, device id 2 (virtio 5.2). One queue, or with MQ several, all alike. A request is a
 * stream of bytes, however it is cut into descriptors:
 *
 *	device reads	struct virtio_blk_req, then the data of a write, or the segments to be
 *			discarded or zeroed
 *	device writes	the data of a read, then one byte of status
 */

#define VIRTIO_BLK_F_SIZE_MAX     1
#define VIRTIO_BLK_F_SEG_MAX      2
#define VIRTIO_BLK_F_GEOMETRY     4
#define VIRTIO_BLK_F_RO           5
#define VIRTIO_BLK_F_BLK_SIZE     6
#define VIRTIO_BLK_F_FLUSH        9
#define VIRTIO_BLK_F_TOPOLOGY     10
#define VIRTIO_BLK_F_CONFIG_WCE   11
#define VIRTIO_BLK_F_MQ           12
#define VIRTIO_BLK_F_DISCARD      13
#define VIRTIO_BLK_F_WRITE_ZEROES 14
#define VIRTIO_BLK_F_LIFETIME     15
#define VIRTIO_BLK_F_SECURE_ERASE 16
#define VIRTIO_BLK_F_ZONED        17

/* Bytes of a sector, of capacity and of virtio_blk_req.sector, whatever blk_size says. */
#define VIRTIO_BLK_SECTOR_SIZE 512

#define VIRTIO_BLK_ID_BYTES 20

/* virtio_blk_req.type */
#define VIRTIO_BLK_T_IN           0
#define VIRTIO_BLK_T_OUT          1
#define VIRTIO_BLK_T_FLUSH        4
#define VIRTIO_BLK_T_GET_ID       8
#define VIRTIO_BLK_T_GET_LIFETIME 10
#define VIRTIO_BLK_T_DISCARD      11
#define VIRTIO_BLK_T_WRITE_ZEROES 13
#define VIRTIO_BLK_T_SECURE_ERASE 14

/* status */
#define VIRTIO_BLK_S_OK     0
#define VIRTIO_BLK_S_IOERR  1
#define VIRTIO_BLK_S_UNSUPP 2

/* virtio_blk_discard_write_zeroes.flags: the zeroed sectors need not keep their storage */
#define VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP 1

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#include <vole/language.h>
#include <vole/le.h>

struct virtio_blk_req {
	le32 type;
	le32 reserved;
	le64 sector;
};

/* A range of sectors to discard, or to write zeroes to. */
struct virtio_blk_discard_write_zeroes {
	le64 sector;
	le32 num_sectors;
	le32 flags;
};

struct virtio_blk_config {
	le64 capacity; /* sectors of 512 bytes */
	le32 size_max;
	le32 seg_max;
	le16 geometry_cylinders;
	uint8_t geometry_heads;
	uint8_t geometry_sectors;
	le32 blk_size;
	uint8_t topology_physical_block_exp;
	uint8_t topology_alignment_offset;
	le16 topology_min_io_size;
	le32 topology_opt_io_size;
	uint8_t writeback;
	uint8_t unused0;
	le16 num_queues;
	le32 max_discard_sectors;
	le32 max_discard_seg;
	le32 discard_sector_alignment;
	le32 max_write_zeroes_sectors;
	le32 max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap;
	uint8_t unused1[3];
	le32 max_secure_erase_sectors;
	le32 max_secure_erase_seg;
	le32 secure_erase_sector_alignment;
	le32 zoned[5];
	uint8_t zoned_model;
	uint8_t unused2[3];
};

VOLE_STATIC_ASSERT(sizeof(struct virtio_blk_req) == 16, "virtio 5.2.6");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_req, sector) == 8, "virtio 5.2.6");
VOLE_STATIC_ASSERT(sizeof(struct virtio_blk_discard_write_zeroes) == 16, "virtio 5.2.6");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_discard_write_zeroes, flags) == 12, "virtio 5.2.6");
VOLE_STATIC_ASSERT(sizeof(struct virtio_blk_config) == 96, "virtio 5.2.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_config, seg_max) == 12, "virtio 5.2.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_config, blk_size) == 20, "virtio 5.2.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_config, writeback) == 32, "virtio 5.2.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_config, num_queues) == 34, "virtio 5.2.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_config, max_discard_sectors) == 36, "virtio 5.2.4");
VOLE_STATIC_ASSERT(
	offsetof(struct virtio_blk_config, write_zeroes_may_unmap) == 56, "virtio 5.2.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_blk_config, zoned) == 72, "virtio 5.2.4");

#endif /* __ASSEMBLER__ */
#endif
