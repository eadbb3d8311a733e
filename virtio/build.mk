# The device side of virtio; innermost first.
virtio_sources = $(addprefix virtio/,gmem.c chain.c ring.c split.c packed.c virtq.c report.c chaos.c virtio.c serve.c mistake.c mmio.c mmio_register.c \
	inspect.c save.c console.c console_control.c rng.c block.c block_request.c block_run.c)
