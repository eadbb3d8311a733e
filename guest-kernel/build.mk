# The library, and the kernels built on it; bare kernels do without.
guest_sources =
guest_kernels =
bare_kernels = guest-kernel/kernels/hello.c
