#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/linux/drivers.t, on a KVM with hardware semantics.
exec tests/lane/run tests/linux/drivers.t "${O:-build}"/linux/{initrd,bzImage,vmlinux}-*
