# The monitor; in the order in which a reader may want them.
vmm_sources = $(addprefix vmm/,main.c inspect.c log.c emulate.c ioapic.c kvm_caps.c elf.c boot.c)
