# The monitor; in the order in which a reader may want them.
vmm_sources = $(addprefix vmm/,main.c options.c offer.c inspect.c log.c \
	machine.c plan.c cpus.c signals.c devices.c device.c serial.c ports.c cpu_start.c timers.c \
	vcpu.c watch.c crash.c emulate.c ioapic.c cmos.c \
	kvm.c kvm_caps.c memory.c elf.c boot.c refuse.c boot_vole.c boot_flat.c boot_firmware.c boot_data.c \
	boot_linux.c boot_pvh.c linux_guest.c mptable.c \
	file.c loop.c chardev.c terminal.c disk.c uart.c \
	doctor.c trial.c)
