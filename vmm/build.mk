vmm_sources = $(addprefix vmm/,main.c log.c)
vmm_sources += vmm/boot.c
vmm_sources += vmm/elf.c
vmm_sources += vmm/inspect.c
