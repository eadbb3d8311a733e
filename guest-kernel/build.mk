# The library, and the kernels built on it; bare kernels do without.
guest_sources = $(addprefix guest-kernel/,entry.S pvh_entry.S pvh.c start.c power.c trap.S idt.c irq.c timer.c memory.c cpu.c \
	string.c printf.c mmio.c virtq.c split.c packed.c console.c console_control.c rng.c block.c)
guest_kernels = guest-kernel/kernels/demo.c guest-kernel/examples/devices.c
with_guest-kernel/kernels/demo.c = $(addprefix guest-kernel/kernels/,demo_machine.c demo_prompt.c)
# Raw code for real mode, linked to address 0.
flat_kernels = $(addprefix guest-kernel/flat/,hello.S count.S)
bare_kernels = $(addprefix guest-kernel/examples/,hello.c disk.c)
# The steps of the course in spec/learn/, and what its exercises begin with.
learn_steps = $(sort $(wildcard guest-kernel/learn/[1-9]-*.c))
learn_exercises = $(sort $(wildcard guest-kernel/learn/exercise-*.c))
# Headers of the library that kernels may include; the others are between its own files.
guest_headers = $(addprefix guest-kernel/,block.h console.h cpu.h error.h idt.h info.h irq.h memory.h mmio.h power.h \
	printf.h rng.h spinlock.h start.h string.h timer.h virtq.h virtq_state.h x86.h)
