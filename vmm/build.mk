vmm_sources = $(addprefix vmm/,main.c log.c)
