# Linked into every unit test.
tests_shared = $(addprefix tests/,tap.c capture.c driver.c driver_ring.c queue.c refusal.c ring_forms.c elf_make.c fake_cpu.c)

# One program each; the names follow the sources they test. The thread sanitizer has nothing to find where there is one thread;
# a test that begins others names pthread, or is to.
unit_test_sources = $(filter-out $(if $(x86_host),,$(x86_unit_tests)),$(if $(filter thread,$(SAN)),$(threaded_unit_tests),$(wildcard tests/unit/*.c)))
threaded_unit_tests := $(shell grep -l pthread tests/unit/*.c)

# They test the KVM engine, or need a processor or headers of the kernel for x86.
x86_unit_tests = $(patsubst %,tests/unit/%.c,boot_linux complete counters debug_registers doctor emulate_iret emulate_int emulate_int64 kvm kvm_caps kvm_debug kvm_pics own_paging selectors single_fetch vcpu_thread wakeups)

# They load what they have written to a file.
$(foreach b,linux multiboot multiboot_place multiboot_info pvh,$(eval with_tests/unit/boot_$b.c = tests/loaded.c))

# An engine that takes the place of the one in libvmm.a.
with_tests/unit/no_kvm.c = vmm/kvm/no_kvm.c

# Counts these calls, of whoever makes them.
ldflags_tests/unit/request_path.c = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc aligned_alloc pthread_mutex_lock)

# Fails when told to, and takes KVM's place.
ldflags_tests/unit/complete.c = -Wl$(comma)--wrap=ioctl
ldflags_tests/unit/vcpu_thread.c = $(addprefix -Wl$(comma)--wrap=,pthread_attr_init ioctl)

# Linked into one of them: the guest's half of a queue.
with_tests/unit/wakeups.c = tests/library.c $(library_queue)
library_queue = $(addprefix guest-kernel/,virtq.c split.c packed.c)
$(foreach s,$(library_queue),$(eval cflags_$s = -ffreestanding))

# The parts of the software CPU, without its run loop.
x86_part_tests = $(addprefix tests/unit/x86_,mmu.c tlb.c segment.c gate.c far.c task.c system.c msr.c)
$(foreach t,$(x86_part_tests),$(eval with_$t = tests/x86_machine.c tests/x86_levels.c))

# The run loop of the software CPU. They are built again for each form of dispatch (vmm/x86/execute.c)
# that is not the compiler's usual one: tail calls need a compiler that optimises.
x86_code_tests = $(addprefix tests/unit/x86_,blocks.c cost.c ops.c run.c branches.c account.c)
$(foreach t,$(x86_code_tests),$(eval with_$t = tests/x86_code.c))
x86_dispatch_forms = CALLS $(if $(SAN),,$(if $(filter -O2 -O3,$(CFLAGS)),TAIL))

# The software engine with a machine around it.
soft_tests = $(addprefix tests/unit/,soft.c soft_clock.c soft_interrupts.c soft_transfer.c)
$(foreach t,$(soft_tests),$(eval with_$t = tests/soft_machine.c))

with_tests/unit/x86_oracle.c = $(oracle_sources)
oracle_sources = $(addprefix tests/oracle,_native.c _soft.c _compare.c _builder.c _operations.c _control.c _bits.c)

# One kernel each, linked with the guest library.
guest_test_kernels = $(wildcard tests/guest/*.c)

# Kernels with a mistake: the source, or one "source:option" for each "build:" line of its head comment.
case_sources = $(wildcard tests/cases/*.[cS] tests/cases/library/*.[cS])
case_builds := $(shell awk '\
	FNR == 1 { if (file && !own) print file; file = FILENAME; own = 0 } \
	$$2 == "build:" && !seen[FILENAME $$3]++ { print FILENAME ":" $$3; own = 1 } \
	END { if (!own) print file }' $(case_sources))

# Raw code, one behaviour each.
flat_test_kernels = $(wildcard tests/flat/*.S)

# The kernel that is started as Linux is, in its two formats.
boot_probe_sources = tests/boot/entry.S tests/boot/probe.c tests/boot/print.c
cflags_tests/boot/probe.c = $(uapi_cflags)
boot_bzimage_source = tests/boot/bzimage.S

# The kernels with a Multiboot header: that of version 1 and that of 2, of the same code.
multiboot_sources = $(addprefix tests/,multiboot/kernel.c multiboot/info.c multiboot/pc.c multiboot/paging.c boot/print.c)

# Programs for the test scripts.
# The last one is a kernel, too, which tests/coverage.t compiles itself.
test_tool_sources = $(wildcard tests/tools/*.c) tests/coverage/sample.c

# Linked into each of those.
test_tools_shared = tests/elf_make.c

# A vole whose system calls on one file stall or fail when they are told to.
faulty_sources = $(wildcard tests/faulty/*.c)
faulty_calls = sandbox_enter open fstat lseek fcntl write pread preadv pwrite pwritev fdatasync fallocate

# TAP by scripts, the longest first.
script_tests = tests/guest.t $(filter-out tests/guest.t,$(wildcard tests/*.t))

# Programs of `make bench`, and what they may have of the tests.
bench_program_sources = $(filter-out $(if $(x86_host),,tests/bench/floor.c),$(wildcard tests/bench/*.c))
bench_shared = tests/driver.c tests/driver_ring.c
bench_kernels = $(wildcard tests/bench/guest/*.c)

# The kernel that compares engines, with the ways into it that other machines have.
engine_bench_sources = $(addprefix tests/bench/engine/,entry.S pvh.c main.c loops.c)
engine_bench_rom = tests/bench/engine/rom.S
# What the ROM does, in percent: enough for Bochs.
engine_bench_percent = 20
cflags_tests/bench/engine/pvh.c = -DROM_CMDLINE='"loops $(engine_bench_percent)"'

# The first program of the Linux guests.
linux_init_sources = $(wildcard tests/linux/*.c)

# Fuzz targets: one program each, and what is linked into all. Beside them are dictionaries and corpora.
fuzz_targets = gdb mmio ring console rng block io elf linux pvh multiboot flat firmware auto options ioapic uart chips i8042 vga_text report $(if $(x86_host),emulate) \
	x86_decode x86_oracle snapshot saved record story
with_tests/fuzz/report.c = tests/fake_cpu.c
with_tests/fuzz/snapshot.c = tests/soft_machine.c
with_tests/fuzz/io.c = $(addprefix tests/fuzz/io_,guest.c port.c disk.c fault.c random.c) $(addprefix tests/faulty/,calls.c stall.c)
ldflags_tests/fuzz/io.c = $(addprefix -Wl$(comma)--wrap=,$(faulty_calls))
with_tests/fuzz/x86_oracle.c = $(oracle_sources)
fuzz_shared = tests/fuzz/device.c tests/fuzz/image.c tests/fuzz/log.c tests/driver.c tests/driver_ring.c
