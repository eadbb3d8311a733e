# Linux guests: the first program of each, and the archive that Linux unpacks. It is included after
# rules of the host's side have named compilers and flags.

# Their first program has no libc, so that it needs no 32-bit one.
linux_cflags = -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -mgeneral-regs-only \
	  -fno-asynchronous-unwind-tables $(uapi_cflags) $(WARN) -O2

# $1 is the word size, $2 what the compiler is to know of it.
define linux_init
$O/linux-$1/%.o: %.c $O/made-with
	$$(call say,CC$1,$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(GUEST_CC) -m$1 $2 $(linux_cflags) -MD -MP -c -o $$@ $$<

$O/linux/init-$1: $(patsubst %.c,$O/linux-$1/%.o,$(linux_init_sources))
	$$(call say,LD$1,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(GUEST_CC) -m$1 -nostdlib -static -Wl,-z,noexecstack -s -o $$@ $$^

$O/linux/initrd-$1.gz: $O/linux/init-$1
	$$(call say,CPIO,$$@)
	$$(Q)rm -rf $O/linux/root-$1
	$$(Q)mkdir -p $O/linux/root-$1/dev $O/linux/root-$1/proc $O/linux/root-$1/sys
	$$(Q)cp $$< $O/linux/root-$1/init
	$$(Q)cd $O/linux/root-$1 && find . | cpio -o -H newc --quiet -R 0:0 | gzip -9n >'$$(abspath $$@)'

linux_inits += $O/linux/init-$1
endef
$(eval $(call linux_init,32,-march=i486))
$(eval $(call linux_init,64,))
