/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_VIRTIO_CONFIG_H
#define VOLE_VIRTIO_CONFIG_H

/*
 * What all virtio devices share: device ids (virtio 5), status bits (2.1), and the feature bits
 * that belong to no device type (6). Feature bits are given as bit numbers.
 */

/* Device ids; 0 is a placeholder that drivers leave alone. */
#define VIRTIO_ID_NONE    0
#define VIRTIO_ID_NET     1
#define VIRTIO_ID_BLOCK   2
#define VIRTIO_ID_CONSOLE 3
#define VIRTIO_ID_ENTROPY 4

/* Device status. Status is the driver's, except for DEVICE_NEEDS_RESET. */
#define VIRTIO_STATUS_ACKNOWLEDGE        0x01
#define VIRTIO_STATUS_DRIVER             0x02
#define VIRTIO_STATUS_DRIVER_OK          0x04
#define VIRTIO_STATUS_FEATURES_OK        0x08
#define VIRTIO_STATUS_DEVICE_NEEDS_RESET 0x40
#define VIRTIO_STATUS_FAILED             0x80

#define VIRTIO_F_INDIRECT_DESC     28
#define VIRTIO_F_EVENT_IDX         29
#define VIRTIO_F_VERSION_1         32
#define VIRTIO_F_ACCESS_PLATFORM   33
#define VIRTIO_F_RING_PACKED       34
#define VIRTIO_F_IN_ORDER          35
#define VIRTIO_F_ORDER_PLATFORM    36
#define VIRTIO_F_SR_IOV            37
#define VIRTIO_F_NOTIFICATION_DATA 38
#define VIRTIO_F_NOTIF_CONFIG_DATA 39
#define VIRTIO_F_RING_RESET        40
#define VIRTIO_F_ADMIN_VQ          41

#endif
