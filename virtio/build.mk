# The device side of virtio; innermost first.
virtio_sources =
