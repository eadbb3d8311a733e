/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_VIRTIO_MMIO_H
#define VOLE_VIRTIO_MMIO_H

/*
 * The register file of a virtio-mmio device, version 2 (virtio 4.2.2). Offsets into the device's
 * window. All registers below VIRTIO_MMIO_CONFIG are 32 bits wide and little-endian; they are to be
 * accessed with aligned 32-bit accesses only.
 */

#define VIRTIO_MMIO_MAGIC_VALUE         0x000 /* R */
#define VIRTIO_MMIO_VERSION             0x004 /* R */
#define VIRTIO_MMIO_DEVICE_ID           0x008 /* R */
#define VIRTIO_MMIO_VENDOR_ID           0x00c /* R */
#define VIRTIO_MMIO_DEVICE_FEATURES     0x010 /* R  32 bits of the word that ..._SEL chose */
#define VIRTIO_MMIO_DEVICE_FEATURES_SEL 0x014 /* W */
#define VIRTIO_MMIO_DRIVER_FEATURES     0x020 /* W  32 bits of the word that ..._SEL chose */
#define VIRTIO_MMIO_DRIVER_FEATURES_SEL 0x024 /* W */
#define VIRTIO_MMIO_QUEUE_SEL           0x030 /* W  chooses the queue of all QUEUE_ registers */
#define VIRTIO_MMIO_QUEUE_SIZE_MAX      0x034 /* R  0: no such queue */
#define VIRTIO_MMIO_QUEUE_SIZE          0x038 /* W */
#define VIRTIO_MMIO_QUEUE_READY         0x044 /* RW */
#define VIRTIO_MMIO_QUEUE_NOTIFY        0x050 /* W  index of the queue */
#define VIRTIO_MMIO_INTERRUPT_STATUS    0x060 /* R */
#define VIRTIO_MMIO_INTERRUPT_ACK       0x064 /* W */
#define VIRTIO_MMIO_STATUS              0x070 /* RW 0 resets the device */
#define VIRTIO_MMIO_QUEUE_DESC_LOW      0x080 /* W */
#define VIRTIO_MMIO_QUEUE_DESC_HIGH     0x084 /* W */
#define VIRTIO_MMIO_QUEUE_DRIVER_LOW    0x090 /* W */
#define VIRTIO_MMIO_QUEUE_DRIVER_HIGH   0x094 /* W */
#define VIRTIO_MMIO_QUEUE_DEVICE_LOW    0x0a0 /* W */
#define VIRTIO_MMIO_QUEUE_DEVICE_HIGH   0x0a4 /* W */
#define VIRTIO_MMIO_SHM_SEL             0x0ac /* W */
#define VIRTIO_MMIO_SHM_LEN_LOW         0x0b0 /* R */
#define VIRTIO_MMIO_SHM_LEN_HIGH        0x0b4 /* R */
#define VIRTIO_MMIO_SHM_BASE_LOW        0x0b8 /* R */
#define VIRTIO_MMIO_SHM_BASE_HIGH       0x0bc /* R */
#define VIRTIO_MMIO_QUEUE_RESET         0x0c0 /* RW with VIRTIO_F_RING_RESET */
#define VIRTIO_MMIO_CONFIG_GENERATION   0x0fc /* R */
#define VIRTIO_MMIO_CONFIG              0x100 /* device type's own, byte granular */

#define VIRTIO_MMIO_MAGIC         0x74726976 /* the bytes "virt" */
#define VIRTIO_MMIO_VERSION_VALUE 2
#define VIRTIO_MMIO_VENDOR_VALUE  0x656c6f76 /* of vole's devices: the bytes "vole" */

#define VIRTIO_MMIO_WINDOW_SIZE 0x1000 /* of one device in vole's machine */

/* InterruptStatus and InterruptACK */
#define VIRTIO_MMIO_INT_VRING  0x1 /* used buffer notification */
#define VIRTIO_MMIO_INT_CONFIG 0x2 /* configuration change notification */

#endif
