# The library, and the kernels built on it; bare kernels do without.
guest_sources = $(addprefix guest-kernel/,entry.S start.c power.c trap.S idt.c irq.c timer.c memory.c cpu.c \
	string.c printf.c mmio.c virtq.c split.c packed.c console.c console_control.c rng.c block.c)
guest_kernels = guest-kernel/kernels/demo.c
with_guest-kernel/kernels/demo.c = $(addprefix guest-kernel/kernels/,demo_machine.c demo_prompt.c)
# Raw code for real mode, linked to address 0.
flat_kernels = $(addprefix guest-kernel/flat/,hello.S count.S)
bare_kernels = guest-kernel/kernels/hello.c
